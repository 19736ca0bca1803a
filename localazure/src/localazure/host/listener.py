"""What queue and timer listeners share: they start, are asked to stop, and finish what they began."""

from __future__ import annotations

import asyncio


class Bell:
    """Wakes one waiter, when it is rung or when the time is over. Rung early, it wakes the next to wait."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        alarm = asyncio.get_running_loop().call_later(max(seconds, 0), self._rung.set)
        try:
            await self._rung.wait()
        finally:
            alarm.cancel()
            self._rung.clear()


class Listener:
    """Waits for its trigger and calls its function, until asked to stop."""

    def __init__(self) -> None:
        self.stopping = False
        self.bell = Bell()
        """Rung when there may be something to do."""

    def stop(self) -> None:
        """Ask it to begin nothing more."""
        self.stopping = True
        self.bell.ring()

    async def prepare(self) -> None:
        """Make what the listener needs in storage; raises HostError."""
        raise NotImplementedError

    async def run(self) -> None:
        """Listen until stopped; return when the calls it began are done."""
        raise NotImplementedError
