"""A box of time: whatever goes on in it ends when the time is over, in the midst of a fit if need be."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class OutOfTime(Exception):
    """The box is over."""


@contextmanager
def time_box(seconds: float) -> Iterator[None]:
    """Raises OutOfTime in its block as soon as that has taken so long; at once where there are none.

    By an alarm of the operating system, in the main thread alone: the interpreter sees it between two boosting rounds,
    or two steps of a descent, which are what takes long here.
    """

    def over(*_: Any) -> None:
        raise OutOfTime

    if seconds <= 0:
        raise OutOfTime
    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
