"""The Functions host and its queues: at least once, in any order, five times at most, then into the poison queue.

What a message means, and what is done with it, is the app's own code: `functions.delivery`, with the readers of the
triggers, and the real bus in front of the queues.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from functions import delivery
from functions.runs import run_in
from functions.shards import _shard_in
from functions.uploads import upload_in
from shared.domain.facts import ReconcileDue, ScoringDue
from shared.resources import storage
from simulation.choices import Choices, Option, Point
from simulation.processes import BACK_SECONDS, DIED_BEFORE, Port, Process
from simulation.scheduler import Died, Task

MOST_DELIVERIES = 5
RETRY_SECONDS = 30
"""host.json's maxDequeueCount and visibilityTimeout; a test holds them equal."""
READ: dict[str, tuple[delivery.Read, bool]] = {
    "steps": (delivery.fact_in, True),
    "shards": (_shard_in, True),
    "blob-events": (upload_in, False),
    "run-events": (run_in, False),
    "api": (delivery.fact_in, False),
}
"""By queue, how its trigger reads a message, and whether it is one of our own. `api` is no queue: it stands for clients
of the API, who ask again until they have an answer."""
EVENTS = ("blob-events", "run-events")
NAMED = re.compile(r'"fact":"(?!Traced")(\w+)"')


@dataclass
class Message:
    """A message of a queue."""

    queue: str
    body: bytes
    """As it lies there."""
    deliveries: int = 0

    @property
    def about(self) -> str:
        """The name of its fact; empty for an event."""
        return _named(self.body)


@lru_cache(4096)
def _named(body: bytes) -> str:
    found = NAMED.search(b64decode(body).decode(errors="replace"))
    return found[1] if found else ""


# --- what may become of a delivery ------------------------------------------------------------------------------


def _twice(host: Host, message: Message) -> None:
    host.hand_over(message)
    host.hand_over(Message(message.queue, message.body))


def _again_later(host: Host, message: Message) -> None:
    host.hand_over(message)
    host.put(Message(message.queue, message.body), BACK_SECONDS)


def _behind(host: Host, message: Message) -> None:
    host.put(message, 0.001)


def _delayed(host: Host, message: Message) -> None:
    host.put(message, 150)


def _much_delayed(host: Host, message: Message) -> None:
    host.put(message, 24 * 3600)


def _lost(host: Host, message: Message) -> None:
    """No event comes; a sweep finds what it was about."""


TWICE = Option("delivered twice at once", _twice)
AGAIN = Option("delivered again ten minutes later", _again_later)
BEHIND = Option("behind the others", _behind)
DELAYED = Option("150 s late", _delayed)
OF_OURS = (TWICE, AGAIN, BEHIND, DELAYED)
OF_EVENTS = (*OF_OURS, Option("a day late", _much_delayed), Option("lost", _lost))
DELIVERY = {name: Point(f"{name}: delivery", OF_EVENTS if name in EVENTS else OF_OURS) for name in READ}
DELIVERY |= {f"{name}{storage.POISON}": Point(f"{name} (poison): delivery", OF_OURS) for name in READ}
DELETION = Point("host: message done,", (DIED_BEFORE,))
"""Between a function's end and the message's deletion."""


class Stops(Protocol):
    """Of a stretch, what the host needs."""

    @property
    def stops(self) -> frozenset[str]:
        """The names of facts that it hands over no more."""


class Outside(Protocol):
    """Of the world, what the host needs."""

    choices: Choices
    instances: int
    problems: list[Exception]

    @property
    def stretch(self) -> Stops | None: ...

    def later(self, seconds: float, event: Message) -> None: ...

    def process(self, number: int) -> Process: ...


class Host:
    """Hands messages to processes, one after the other, and again what they did not finish."""

    def __init__(self, world: Outside) -> None:
        self._world, self._turn = world, 0
        self._held: list[tuple[Process, Task, Message]] = []
        self.seen: dict[tuple[str, bytes], None] = {}
        """Messages that were handed over, each once."""
        self.handled: set[str] = set()
        """The names of all facts that clocks and messages of our own told."""

    def put(self, message: Message, seconds: float) -> None:
        self._world.later(seconds, message)

    def arrive(self, message: Message) -> None:
        """A message is visible."""
        world = self._world
        if world.stretch and message.about in world.stretch.stops:
            return
        option = world.choices.at(DELIVERY[message.queue])
        if option is None:
            self.hand_over(message)
        else:
            option.act(self, message)

    def hand_over(self, message: Message) -> None:
        message.deliveries += 1
        if message.deliveries > MOST_DELIVERIES:
            if not message.queue.endswith(storage.POISON):  # else it goes where nobody looks
                self.put(Message(f"{message.queue}{storage.POISON}", message.body), 0)
            return
        self.seen[message.queue, message.body] = None
        self.handled.add(message.about)
        process = self.next_process()
        task = process.start(message.queue, lambda: self._work(process, message))
        self._held.append((process, task, message))

    def next_process(self) -> Process:
        """They take turns; one that died has been started again."""
        self._turn += 1
        return self._world.process(self._turn % self._world.instances)

    def _work(self, process: Process, message: Message) -> None:
        try:
            self._told(message)
        except Died:
            raise
        except Exception as problem:  # noqa: BLE001  (the host catches everything, and tries again)
            self._world.problems.append(problem)
            self._done_with(message)
            self.put(message, RETRY_SECONDS)
            return
        option = self._world.choices.at(DELETION)
        if option is not None:
            process.die()
            raise Died
        self._done_with(message)

    def _told(self, message: Message) -> None:
        queue, poisoned, _ = message.queue.partition(storage.POISON)
        read, expected = READ[queue]
        if poisoned:
            delivery.received_in_vain(queue, message.body, read)
        else:
            delivery.receive(queue, message.body, read, expected=expected)

    def _done_with(self, message: Message) -> None:
        self._held = [held for held in self._held if held[2] is not message]

    def lost(self, process: Process) -> None:
        """Its messages are visible again after a while; clocks' ticks are gone."""
        for holder, _, message in self._held:
            if holder is process:
                self.put(message, BACK_SECONDS)
        self._held = [held for held in self._held if held[0] is not process]

    def tick(self, fact: ReconcileDue | ScoringDue) -> None:
        """A clock's function; what fails is logged, and not tried again."""
        process = self.next_process()
        self.handled.add(type(fact).__name__)

        def ticked() -> None:
            try:
                delivery.tick(fact)
            except Died:
                raise
            except Exception as problem:  # noqa: BLE001
                self._world.problems.append(problem)

        process.start("clock", ticked)


class Queues:
    """What the real bus sees of the queue service."""

    def __init__(self, process: Process, host: Host) -> None:
        self._process, self._host = process, host

    def get_queue_client(self, name: str) -> Any:
        return Port("queue", _Queue(name, self._host), self._process)


class _Queue:
    def __init__(self, name: str, host: Host) -> None:
        self.queue_name, self._host = name, host

    def send_message(self, content: str, *, visibility_timeout: int, time_to_live: int) -> None:
        self._host.put(Message(self.queue_name, content.encode()), visibility_timeout)


def blob_created(container: str, name: str, etag: str) -> Message:
    """As Event Grid tells of it."""
    subject = f"/blobServices/default/containers/{container}/blobs/{name}"
    return _event("blob-events", "Microsoft.Storage.BlobCreated", subject, {"api": "PutBlob", "eTag": etag})


def run_moved(run: str) -> Message:
    kind = "Microsoft.MachineLearningServices.RunStatusChanged"
    return _event("run-events", kind, f"experiments/e/runs/{run}", {"runId": run})


def _event(queue: str, kind: str, subject: str, data: dict[str, Any]) -> Message:
    body = {"eventType": kind, "subject": subject, "data": data}
    return Message(queue, b64encode(json.dumps(body).encode()))
