"""The ways a delivery goes wrong on purpose: Event Grid promises at least once and in no order."""

from __future__ import annotations

import random
import threading
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any


class BadFaults(Exception):
    """A fault setting that does not exist, or a probability outside 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Faults:
    """How likely each fault is for a delivery (0 to 1); delays are in seconds."""

    duplicate: float = 0.0
    drop: float = 0.0
    delay: float = 0.0
    delay_seconds: float = 5.0
    reorder: float = 0.0
    reorder_seconds: float = 0.5
    plain: float = 0.0
    """A queue message is the event's JSON as it is, and not base64 of it."""
    respell: float = 0.0

    def changed(self, values: dict[str, Any]) -> Faults:
        """These faults with some values replaced; raises BadFaults naming the wrong one."""
        known = {field.name for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise BadFaults(f"there is no fault setting {name!r}; there are {', '.join(sorted(known))}")
            highest = float("inf") if name.endswith("_seconds") else 1.0
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
                raise BadFaults(f"{name} is {value!r}; it is a number from 0 to {highest:g}")
        return replace(self, **{name: float(value) for name, value in values.items()})


UNKIND: dict[str, dict[str, float]] = {
    "events-twice": {"duplicate": 1 / 3},
    "events-late": {"delay": 1 / 3, "delay_seconds": 3.0},
    "events-unordered": {"reorder": 1 / 3},
    "events-lost": {"drop": 0.1},
    "events-plain": {"plain": 0.5},
    "events-respelt": {"respell": 0.5},
}
"""What each of Event Grid's unkindnesses stands for."""


def unkind(names: Collection[str]) -> dict[str, float]:
    """The settings that these unkindnesses stand for; those of other parts for none."""
    return {field: value for name, of in UNKIND.items() if name in names for field, value in of.items()}


class Chance:
    """Draws what happens to each delivery; the same seed draws the same."""

    def __init__(self, faults: Faults, seed: int | None = None) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311  (chaos, not secrets)
        self.faults = faults

    def delays(self) -> list[float]:
        """One delay in seconds for each time the event is to be delivered: `[0.0]` when nothing goes wrong.

        Out of order means held back a moment, so that later events overtake it.
        """
        with self._lock:
            faults, draw = self.faults, self._random.random
            if draw() < faults.drop:
                return []
            copies = 2 if draw() < faults.duplicate else 1
            return [self._delay(faults) for _ in range(copies)]

    def is_plain(self) -> bool:
        """Whether this message is not encoded."""
        with self._lock:
            return self._random.random() < self.faults.plain

    def is_respelt(self) -> bool:
        """Whether this event's fields are written in the other way that is met."""
        with self._lock:
            return self._random.random() < self.faults.respell

    def _delay(self, faults: Faults) -> float:
        late = faults.delay_seconds * self._random.random() if self._random.random() < faults.delay else 0.0
        held = self._random.random() < faults.reorder
        return late + (faults.reorder_seconds * self._random.random() if held else 0.0)
