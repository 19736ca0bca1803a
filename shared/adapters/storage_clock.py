"""Storage's clock: what time it is by the `Date` of its answers, whatever this machine's clock says.

Leases, marks and deadlines are held against times that storage noted. A machine whose clock is wrong would take over
the work of the living, or look for files only where none will ever be.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

RESOLUTION = 1.0
"""Seconds: a `Date` says whole ones, rounded down; source: RFC 9110, 5.6.7."""


class StorageClock:
    """This machine's time, put right by as much as storage's answers show it to be wrong.

    An answer that was asked for at one time and there at another bounds storage's time from both sides (Cristian's
    algorithm). A clock within the bounds is left alone: it is finer than they are.
    """

    def __init__(
        self, *, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        """wall: seconds since 1970, as this machine has them; steady: seconds since whenever, which nobody sets"""
        self._steady, self._offset = steady, wall() - steady()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._steady() + self._offset, UTC)

    def started(self) -> float:
        """What `heard` wants to know of the time at which an answer was asked for."""
        return self._steady()

    def heard(self, date: str | None, *, started: float) -> None:
        """date: of an answer that is just there; one without, or with one that cannot be read, says nothing"""
        try:
            said = _read(date or "")
        except ValueError:
            return
        least, most = said - self._steady(), said + RESOLUTION - started
        with self._lock:
            self._offset = min(max(self._offset, least), most)


@lru_cache(64)  # every answer of one second says the same
def _read(date: str) -> float:
    """Seconds since 1970. raises: ValueError"""
    return parsedate_to_datetime(date).timestamp()
