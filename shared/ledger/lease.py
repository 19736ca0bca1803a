"""A lease with a heartbeat: a claim lapses unless its worker renews it, so only a dead worker's work is taken over.

Between two heartbeats lies a third of the lease. Renewing is a conditional write like any other: a worker that was away
for too long finds its lease taken, and settling fails (the row's ETag is its fencing token).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.errors import Conflict, Transient
from shared.ports import Row

LONGEST_SECONDS = 30 * 60.0
"""host.json's functionTimeout: a step that hangs is not renewed for ever."""


@dataclass
class Lease:
    """The claim's row as it was renewed last: what settling must be conditional on."""

    row: Row


@contextmanager
def heartbeat(lease: Lease, renew: Callable[[Row], Row], *, every_seconds: float) -> Iterator[None]:
    """Renews the lease from a thread of its own, until the body of the `with` ends or another worker has the row."""
    over = threading.Event()

    def beat() -> None:
        until = time.monotonic() + LONGEST_SECONDS
        while not over.wait(every_seconds) and time.monotonic() < until:
            try:
                lease.row = renew(lease.row)
            except Conflict:
                return  # it had lapsed and was taken over; settling will find that out
            except Transient:
                continue  # the next beat may come soon enough

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
