"""A queue trigger: looks for messages, runs the function on each under a renewed lease, retries, poisons.

(missing: waited for)
queue ── receive ──> running ── returned ──> deleted
  ^                     │
  └── visible again <── raised, dequeued fewer than maxDequeueCount times
                        │
                        └── raised for the last time, or undecodable ──> <queue>-poison
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from localazure.host.host_json import QueueOptions
from localazure.host.invoke import FunctionFailed
from localazure.host.listener import Bell, Listener
from localazure.host.message import Message, Undecodable, decode
from localazure.host.queue import Queue
from localazure.host.storage import NotThere, StorageFault

log = logging.getLogger("localazure.host.queues")
SHORTEST = 0.1
"""Seconds between two looks at a queue that was just busy."""
LONGEST_WAIT = 60.0
LEASE = 600.0
"""Seconds for which a message under work is nobody else's; renewed at half-time."""


class Pace:
    """How long to wait before the next look: at first shortest, then doubling by chance up to longest."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._empty = 0

    def after(self, *, found: bool) -> float:
        self._empty = 0 if found else self._empty + 1
        if self._empty <= 1:
            return min(SHORTEST, self._longest)
        grown = SHORTEST * (1 + random.uniform(0.8, 1.2) * 2 ** min(self._empty - 2, 16))  # noqa: S311
        return float(min(grown, self._longest))


class QueueListener(Listener):
    """Works off one queue."""

    def __init__(
        self,
        *,
        queue: Queue,
        options: QueueOptions,
        call: Callable[[Message, bytes], Awaitable[object]],
        poison: Callable[[bytes | None], Queue | None],
        lease: float = LEASE,
    ) -> None:
        """`call` does a message's work, and raises FunctionFailed; `poison` is where one with that body ends
        that fails too often (None: with a body that cannot be decoded)."""
        super().__init__()
        self._queue, self._options = queue, options
        self._call, self._poison = call, poison
        self._lease = lease
        self._running: set[asyncio.Task[None]] = set()
        self._is_full = False
        self._unreachable = False
        self._is_there = False
        """Whether the queue was there when it was last asked for."""
        self._missed = False

    async def prepare(self) -> None:
        """Nothing: whoever makes the queue, it is not the host."""

    async def run(self) -> None:
        """Fetch a batch whenever no more than `newBatchThreshold` messages run."""
        pace = Pace(self._options.max_polling_interval)
        self._queue.listeners.append(self.bell)
        while not self.stopping:
            self._is_full = len(self._running) > self._options.new_batch_threshold
            if self._is_full:
                await self.bell.wait(LONGEST_WAIT)
            elif await self._fetch():
                pace.after(found=True)
            else:
                await self.bell.wait(pace.after(found=False))
        self._queue.listeners.remove(self.bell)
        if self._running:
            await asyncio.wait(self._running)

    async def _fetch(self) -> bool:
        """Begin work on the messages there are."""
        try:
            if not self._is_there and not await self._found():
                return False
            messages = await self._queue.receive(self._options.batch_size, self._lease)
        except NotThere:
            self._is_there = False
            return False
        except StorageFault as problem:
            self._tell_unreachable(problem)
            return False
        if self._unreachable:
            self._unreachable = False
            log.info("The queue %s answers again.", self._queue.name)
        for message in messages:
            task = asyncio.create_task(self._work(message))
            self._running.add(task)
            task.add_done_callback(self._done)
        return bool(messages)

    async def _found(self) -> bool:
        """Whether somebody has made the queue; said once when it is missing, and once when it has come."""
        self._is_there = await self._queue.exists()
        if not self._is_there and not self._missed:
            log.warning("The queue %s is not there: waiting for somebody to make it.", self._queue.name)
        elif self._is_there and self._missed:
            log.info("The queue %s is there.", self._queue.name)
        self._missed = not self._is_there
        return self._is_there

    def _tell_unreachable(self, problem: StorageFault) -> None:
        if not self._unreachable:
            self._unreachable = True
            log.warning(
                "The queue %s cannot be read (%s); trying again until it answers.", self._queue.name, problem
            )

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._is_full:  # else the queue was just looked at, and was empty
            self.bell.ring()
        if not task.cancelled() and (problem := task.exception()):
            log.error("A message of %s could not be settled: %r", self._queue.name, problem)

    async def _work(self, message: Message) -> None:
        held = Held(self._queue, message, self._lease)
        try:
            body = decode(message.text, base64_encoded=self._options.base64)
        except Undecodable as problem:
            why = f"is not {'base64' if self._options.base64 else 'text'} ({problem})"
            await self._give_up(held, self._poison(None), why)
            return
        poison = self._poison(body)
        if message.dequeue_count > self._options.max_dequeue_count:
            await self._give_up(held, poison, "was received more often than maxDequeueCount")
            return
        async with held.renewed():
            failed = await self._fails(message, body)
        if not failed:
            await held.delete()
        elif message.dequeue_count >= self._options.max_dequeue_count:
            await self._give_up(held, poison, f"failed {message.dequeue_count} times")
        elif poison is not None:
            await held.hide(self._options.visibility_timeout)
        # Without a poison queue Azure's host lets a failed message lie until its lease ends; so do we.

    async def _fails(self, message: Message, body: bytes) -> bool:
        try:
            await self._call(message, body)
        except FunctionFailed:
            return True
        return False

    async def _give_up(self, held: Held, poison: Queue | None, why: str) -> None:
        if poison is None:
            log.error("A message of %s %s; it stays until its lease ends.", self._queue.name, why)
            return
        log.error("A message of %s %s: moved to %s.", self._queue.name, why, poison.name)
        await poison.send(held.message.text)
        await held.delete()


class Held:
    """A message under our lease. A renewal changes its receipt, so all calls on it go through here."""

    def __init__(self, queue: Queue, message: Message, lease: float) -> None:
        self._queue = queue
        self.message = message
        self._lease = lease
        self._settling = False
        self._bell = Bell()

    @contextlib.asynccontextmanager
    async def renewed(self) -> AsyncIterator[None]:
        """Keep the lease while the body of the `async with` runs."""
        task = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            self._settling = True
            self._bell.ring()  # no cancellation: a renewal on its way changes the receipt for the deletion
            await asyncio.wait([task])

    async def _renew(self) -> None:
        while not self._settling:
            await self._bell.wait(self._lease / 2)
            if not self._settling:
                await self.hide(self._lease)

    async def hide(self, seconds: float) -> None:
        try:
            receipt = await self._queue.hide(self.message.id, self.message.receipt, seconds)
        except StorageFault as problem:
            self._tell_lost(problem)
        else:
            self.message = replace(self.message, receipt=receipt)

    async def delete(self) -> None:
        try:
            await self._queue.delete(self.message.id, self.message.receipt)
        except StorageFault as problem:
            self._tell_lost(problem)

    def _tell_lost(self, problem: StorageFault) -> None:
        log.warning(
            "Message %s of %s is no longer ours (%s): it may be delivered again.",
            self.message.id, self._queue.name, problem,
        )  # fmt: skip
