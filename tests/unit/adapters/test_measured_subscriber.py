"""Deliveries are counted as they ended, and end as without counting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from flow.exported import exporting

from shared.adapters.measured_subscriber import MeasuredSubscriber
from shared.errors import Busy, Gone, Refused, Transient

EVENTS: list[dict[str, Any]] = [{"id": "1"}, {"id": "2"}, {"id": "3"}]


class Told:
    """Takes so many, or raises."""

    name = "webhook-1"
    consents = True

    def __init__(self, ends: int | Exception) -> None:
        self._ends = ends

    def handshake(self) -> int | None:
        return 7

    def deliver(self, events: Sequence[dict[str, Any]]) -> int:
        if isinstance(self._ends, Exception):
            raise self._ends
        return self._ends


@pytest.mark.parametrize(
    ("ends", "counted"),
    [
        (3, {"taken": 3}),
        (0, {}),
        (Transient("down"), {"failed": 1}),
        (Refused("no"), {"refused": 1}),
        (Gone("never"), {"refused": 1}),
        (Busy("later", seconds=1, taken=2), {"taken": 2, "failed": 1}),
    ],
)
def test_each_end_is_counted(ends: int | Exception, counted: dict[str, int]) -> None:
    measured = MeasuredSubscriber(Told(ends))
    with exporting() as exported:
        if isinstance(ends, Exception):
            with pytest.raises(type(ends)) as raised:
                measured.deliver(EVENTS)
            assert raised.value is ends
        else:
            assert measured.deliver(EVENTS) == ends
    assert exported.totals() == {("campanha.deliveries", outcome): n for outcome, n in counted.items()}
    assert (measured.name, measured.handshake()) == ("webhook-1", 7)
