"""One `./dev` at a time where two would be in each other's way: the second waits for the first."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from commands.setup.console import say


@contextlib.contextmanager
def only_one(file: Path, *, waiting_for: str) -> Iterator[None]:
    """Hold the operating system's lock on `file`; it is let go when the holder dies, however it dies."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _try(handle):
            say(f"  {waiting_for}: waiting for it ...")
            while not _try(handle):
                time.sleep(0.2)
        yield
    finally:
        os.close(handle)


def _try(handle: int) -> bool:
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
