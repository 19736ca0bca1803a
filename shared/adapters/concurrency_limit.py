"""How many requests may be under way at once: one more after each calm round, half as many after a refusal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Pace:
    """Additive up, multiplicative down, as TCP does it; shared by the threads that send requests."""

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """most: requests the other side takes at once when nothing is wrong."""
        self._most = most
        self._allowed = float(most)
        self._under_way = 0
        self._not_before = 0.0
        self._slowed_at = float("-inf")
        self._clock = clock
        self._changed = threading.Condition()

    @property
    def allowed(self) -> int:
        """Requests that may be under way at once, now."""
        return max(1, int(self._allowed))

    @contextmanager
    def turn(self, *, deadline: float) -> Iterator[float]:
        """Waits for a place, and gives the time it was got; raises: TimeoutError at the deadline."""
        with self._changed:
            while (wait := self._wait()) is not None:
                left = deadline - self._clock()
                if left <= 0:
                    raise TimeoutError
                self._changed.wait(min(left, wait))
            self._under_way += 1
        try:
            yield self._clock()
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _wait(self) -> float | None:
        """Seconds to wait at most before looking again; None: go."""
        pause = self._not_before - self._clock()
        if pause > 0:
            return pause
        return None if self._under_way < self.allowed else 60.0

    def went_well(self) -> None:
        with self._changed:
            self._allowed = min(self._most, self._allowed + 1 / self.allowed)
            self._changed.notify_all()

    def was_refused(self, began: float, *, pause: float) -> None:
        """The other side is busy. Requests refused in one round slow us down once.

        began: when the request got its turn; pause: seconds in which nothing more is to be sent.
        """
        with self._changed:
            self._not_before = max(self._not_before, self._clock() + pause)
            if began >= self._slowed_at:
                self._allowed = max(1.0, self._allowed / 2)
                self._slowed_at = self._clock()
