"""No workspace: a run finds no model before its own, unless a test says so."""

from __future__ import annotations

import pytest

from pipelines import workspace


@pytest.fixture(autouse=True)
def no_model_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "download_newest_before", lambda *_: None)
