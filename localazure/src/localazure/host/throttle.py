"""How many HTTP requests may run, and how many may wait for that, as host.json says; the rest gets 429."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class TooMany(Exception):
    """More requests are outstanding than maxOutstandingRequests."""


class Throttle:
    """`outstanding` and `concurrent` are the most there may be; None for no limit."""

    def __init__(self, *, outstanding: int | None, concurrent: int | None) -> None:
        self._most = outstanding
        self._turns = asyncio.Semaphore(concurrent) if concurrent else None
        self._now = 0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it while the body of the `async with` runs; raises TooMany."""
        if self._most is not None and self._now >= self._most:
            raise TooMany
        self._now += 1
        try:
            async with self._turns or contextlib.nullcontext():
                yield
        finally:
            self._now -= 1
