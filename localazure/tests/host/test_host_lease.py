"""A message under work: its lease is renewed at half-time, and whatever follows uses the newest receipt."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest

from localazure.host.host_json import QueueOptions
from localazure.host.listener import Bell
from localazure.host.message import Message, encode
from localazure.host.queue import Queue
from localazure.host.queues import Pace, QueueListener
from localazure.host.storage import NotThere, StorageFault

LEASE = 0.05


@dataclass
class MemoryQueue:
    """A queue that remembers what was asked of it; `failures` are raised, one a look, before it answers."""

    messages: list[Message]
    failures: list[Exception] = field(default_factory=list)
    renewed: int = 0
    absent: int = 0
    """How often it is not there when it is asked for."""
    name: str = "q"
    listeners: list[Bell] = field(default_factory=list)
    deleted: asyncio.Event = field(default_factory=asyncio.Event)
    last_receipt: str = ""

    async def receive(self, count: int, lease: float) -> list[Message]:
        if self.failures:
            raise self.failures.pop(0)
        taken, self.messages = self.messages[:count], self.messages[count:]
        return taken

    async def exists(self) -> bool:
        self.absent -= 1
        return self.absent < 0

    async def hide(self, message_id: str, receipt: str, seconds: float) -> str:
        assert receipt == f"r{self.renewed}"
        self.renewed += 1
        return f"r{self.renewed}"

    async def delete(self, message_id: str, receipt: str) -> None:
        self.last_receipt = receipt
        self.deleted.set()


async def work_off(queue: MemoryQueue, renewals: int) -> None:
    """The work returns after so many renewals of the lease."""

    async def call(message: Message, body: bytes) -> None:
        async with asyncio.timeout(10):
            while queue.renewed < renewals:
                await asyncio.sleep(0.005)

    listener = QueueListener(
        queue=cast(Queue, queue),
        options=QueueOptions(max_polling_interval=0.01),
        call=call,
        poison=lambda _: None,
        lease=LEASE,
    )
    running = asyncio.create_task(listener.run())
    async with asyncio.timeout(10):
        await queue.deleted.wait()
        listener.stop()
        await running


def message() -> Message:
    return Message(id="m", receipt="r0", text=encode(b"x", base64_encoded=True), dequeue_count=1)


def test_the_deletion_uses_the_receipt_of_the_last_renewal() -> None:
    queue = MemoryQueue([message()])
    asyncio.run(work_off(queue, 3))
    assert queue.renewed >= 3
    assert queue.last_receipt == f"r{queue.renewed}"


def test_a_queue_that_does_not_answer_is_asked_again_and_a_missing_one_is_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is not made, and said once, however often it is looked for."""
    queue = MemoryQueue([message()], [StorageFault("refused"), NotThere("gone")], absent=3)
    asyncio.run(work_off(queue, 0))
    assert queue.last_receipt == "r0"
    said = [record.getMessage() for record in caplog.records if "not there" in record.getMessage()]
    assert said == ["The queue q is not there: waiting for somebody to make it."]


def test_looks_become_rarer_while_nothing_comes() -> None:
    pace = Pace(2.0)
    waits = [pace.after(found=False) for _ in range(12)]
    assert waits[0] == 0.1
    assert waits == sorted(waits)
    assert waits[-1] == 2.0
    pace.after(found=True)
    assert pace.after(found=False) == 0.1
