"""The schedules' clock, which can be put forward, so that tests need not wait for Monday."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class Clock:
    """This machine's time, and whatever it was put forward by."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._changed = threading.Condition()
        self._turned = 0

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def forward(self, seconds: float) -> None:
        with self._changed:
            self._ahead += timedelta(seconds=seconds)
            self._stir()

    def reset(self) -> None:
        with self._changed:
            self._ahead = timedelta()
            self._stir()

    def stir(self) -> None:
        """Wakes whoever waits: what it waits for may have changed."""
        with self._changed:
            self._stir()

    @property
    def turned(self) -> int:
        """Grows with each waking; read it before looking at what to wait for."""
        return self._turned

    def wait(self, until: datetime | None, turned: int) -> None:
        """Until then, or until it is woken, or was since `turned` was read."""
        with self._changed:
            while self._turned == turned:
                left = None if until is None else (until - self.now()).total_seconds()
                if left is not None and left <= 0:
                    return
                self._changed.wait(left)

    def _stir(self) -> None:
        self._turned += 1
        self._changed.notify_all()
