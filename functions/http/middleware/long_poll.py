"""Wakes long polls (`?wait=`): at once for a change made in this process, within a second for one made by another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import anyio.to_thread

from shared.errors import Transient
from shared.ledger import Ledger

POLL_SECONDS = 1.0
"""How often the ledger's change token is read while requests wait: once for all that wait in this process."""


class Watch:
    """Counts changes; a waiting request is woken by the next one."""

    def __init__(self, ledger: Callable[[], Ledger]) -> None:
        self._ledger = ledger
        self._version = 0
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._pollers: dict[bool, asyncio.Task[None]] = {}
        self._listens = False

    @property
    def version(self) -> int:
        """To be read before reading what is waited for; a change from then on ends the wait."""
        return self._version

    async def changed(self, since: int, token: str, seconds: float, *, facts: bool) -> bool:
        """Waits until something changed after version `since`; False when the time is over first.

        token: the ledger's change token, as it was before the answer was read; facts: whether it moves with facts too
        """
        self._listen()
        woken = asyncio.Event()
        self._waiting[woken] = asyncio.get_running_loop()
        try:
            if self._version != since:
                return True
            self._ensure_polled(token, facts)
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            return False
        finally:
            del self._waiting[woken]
        return True

    def ring(self) -> None:
        """Something changed. Called from any thread."""
        self._version += 1
        for woken, loop in tuple(self._waiting.items()):
            with suppress(RuntimeError):  # its loop has ended, and with it the requests that waited in it
                loop.call_soon_threadsafe(woken.set)

    def _listen(self) -> None:
        if not self._listens:
            self._listens = True
            self._ledger().token.on_change(self.ring)

    def _ensure_polled(self, token: str, facts: bool) -> None:
        """Starts polling the token for changes by other processes since `token`, unless a task polls already."""
        loop, poller = asyncio.get_running_loop(), self._pollers.get(facts)
        if poller is None or poller.done() or poller.get_loop() is not loop:
            self._pollers[facts] = loop.create_task(self._poll_token(token, facts))

    async def _poll_token(self, known: str | None, facts: bool) -> None:
        while self._waiting:
            token = await self._token(facts)
            if token != known:
                known = token
                self.ring()
            await asyncio.sleep(POLL_SECONDS)

    async def _token(self, facts: bool) -> str | None:
        try:
            return await anyio.to_thread.run_sync(lambda: self._ledger().token.read(facts=facts))
        except Transient:
            return None  # the waiting requests read for themselves then, and answer with the error
