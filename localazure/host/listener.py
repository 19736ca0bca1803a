"""What queue and timer listeners share: they start, are asked to stop, and finish what they began."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Listener(Protocol):
    """Waits for its trigger and calls its function, until asked to stop."""

    async def prepare(self) -> None:
        """Make what the listener needs in storage; raises HostError."""

    async def run(self) -> None:
        """Listen until `stopping` is set; return when the calls it began are done."""


async def first_of(*events: asyncio.Event, seconds: float) -> None:
    """Return when one of the events is set, or after so many seconds."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=max(seconds, 0), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
