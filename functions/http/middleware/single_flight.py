"""Single flight: request coalescing. One read for all concurrent requests of a key, begun after the last came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Reads under way, and those that begin when these have ended, by key."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[T]] = {}
        self._next: dict[str, asyncio.Task[T]] = {}

    async def fresh(self, key: str, read: Callable[[], Awaitable[T]]) -> T:
        """What `read` gives, or another caller's read of the same key that has not begun yet.

        One that has begun is not joined: it may have passed the row that changed just before this call."""
        task = self._next.get(key)
        if task is None or task.get_loop() is not asyncio.get_running_loop():
            task = self._next[key] = asyncio.ensure_future(self._fly(key, read, self._under_way.get(key)))
        return await asyncio.shield(task)

    async def _fly(self, key: str, read: Callable[[], Awaitable[T]], before: asyncio.Task[T] | None) -> T:
        if before is not None and not before.done():
            await asyncio.wait([before])
        task = self._next.pop(key)  # from here on it is too late to join
        self._under_way[key] = task
        try:
            return await read()
        finally:
            if self._under_way.get(key) is task:
                del self._under_way[key]
