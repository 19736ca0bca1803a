"""One process at a time, on every system: a lock on a file that the operating system lets go when its holder dies."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_LOOK_SECONDS = 0.2


@contextlib.contextmanager
def only_one(file: Path, *, check: Callable[[], None] = lambda: None) -> Iterator[int]:
    """Waits for its turn; `check` is called at each look, and may raise to give up.

    Yields the file's descriptor: a child that inherits it has the lock too (not on Windows), until both are gone.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while not _taken(handle):
            check()
            time.sleep(_LOOK_SECONDS)
        yield handle
    finally:
        os.close(handle)


def at_most(seconds: float, problem: Exception) -> Callable[[], None]:
    """A `check` that waits so long, and then raises `problem`."""
    deadline = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > deadline:
            raise problem

    return check


def _taken(handle: int) -> bool:
    """False while somebody else holds it; closing the file lets it go."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
