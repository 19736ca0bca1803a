"""The steps as Azure ML runs them: one folder, in which each finds the others as plain modules."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("pipelines/steps", "serving"):
        monkeypatch.syspath_prepend(str(ROOT / folder))
