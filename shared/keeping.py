"""Keeps a claim fresh while its worker is at it, so that only a dead worker's claim lapses, however long a step takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.errors import Conflict, Transient
from shared.ports import Row

LONGEST_SECONDS = 30 * 60.0
"""host.json's functionTimeout: a step that hangs is not kept for ever."""


@dataclass
class Kept:
    """The claim's row as it was renewed last: what settling must be conditional on."""

    row: Row


@contextmanager
def keeping(kept: Kept, renew: Callable[[Row], Row], *, every_seconds: float) -> Iterator[None]:
    """Renews the row from a thread of its own, until the body of the `with` ends or somebody else has the row."""
    over = threading.Event()

    def run() -> None:
        until = time.monotonic() + LONGEST_SECONDS
        while not over.wait(every_seconds) and time.monotonic() < until:
            try:
                kept.row = renew(kept.row)
            except Conflict:
                return  # it had lapsed and was taken over; settling will find that out
            except Transient:
                continue  # the next time may come soon enough

    thread = threading.Thread(target=run, name="keeping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
