"""A stack of the two parts that start at once, storage in memory and events: enough to start, stop and kill."""

from __future__ import annotations

from dataclasses import replace

import pytest

from commands.stack import supervisor
from commands.stack.parts import EVENTS, STORAGE

IN_MEMORY = replace(STORAGE, arguments=lambda it: [*STORAGE.arguments(it), "--in-memory"])


def only_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on `up` and `down` know no others."""
    monkeypatch.setattr(supervisor, "PARTS", {"storage": IN_MEMORY, "events": EVENTS})
    monkeypatch.setattr(supervisor, "STAGES", ((IN_MEMORY,), (EVENTS,)))
