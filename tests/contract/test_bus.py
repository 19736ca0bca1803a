"""What the bus promises, held against the one in memory and the one on Azurite's queues."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

import pytest
from contract import simulated

from running_azure.waiting import until
from shared.adapters.memory import MemoryBus
from shared.domain.facts import DatasetDue, Fact, NotificationDue, RunFailed, ShardDue, UploadArrived
from shared.errors import Transient
from shared.ports import Bus

UPLOAD = UploadArrived(name="ação/maio 1.csv", etag="0x1")
SHARD = ShardDue(batch="b", number=3)


class Outside(Protocol):
    """A bus, and what one sees of it who reads its queues."""

    bus: Bus

    def take(self, queue: str) -> list[Fact]:
        """What may be handled now."""

    def wait_for(self, queue: str) -> list[Fact]:
        """What may be handled as soon as anything may."""

    def held(self, queue: str) -> int:
        """How many there are, those that wait for their time included."""


@dataclass
class InMemory:
    time: datetime = datetime(2026, 11, 24, tzinfo=UTC)
    bus: MemoryBus = field(init=False)

    def __post_init__(self) -> None:
        self.bus = MemoryBus(now=lambda: self.time)

    def take(self, queue: str) -> list[Fact]:
        return self.bus.take_due(queue)

    def wait_for(self, queue: str) -> list[Fact]:
        self.time = min(due for due, name, _ in self.bus.waiting if name == queue)
        return self.take(queue)

    def held(self, queue: str) -> int:
        return sum(name == queue for _, name, _ in self.bus.waiting)


class OnQueues:
    """Reads as the Functions host does: base64, and a message that is read is gone."""

    def __init__(self, connection_string: str, *, notifies: bool) -> None:
        from azure.core.exceptions import ResourceExistsError
        from azure.storage.queue import QueueServiceClient

        from shared.adapters.queues import SHARDS, STEPS, QueueBus
        from shared.adapters.transport import settled

        service = settled(partial(QueueServiceClient.from_connection_string, connection_string))
        self._queues = {name: service.get_queue_client(name) for name in (STEPS, SHARDS)}
        for queue in self._queues.values():
            try:
                queue.create_queue()
            except ResourceExistsError:
                queue.clear_messages()
        self.bus = QueueBus(service, notifies=notifies)

    def messages(self, queue: str) -> list[Any]:
        found = list(self._queues[queue].receive_messages())
        for message in found:
            self._queues[queue].delete_message(message)
        return found

    def take(self, queue: str) -> list[Fact]:
        return [
            Fact.from_json(base64.b64decode(message.content).decode()) for message in self.messages(queue)
        ]

    def wait_for(self, queue: str) -> list[Fact]:
        found: list[Fact] = until(lambda: self.take(queue))
        return found

    def held(self, queue: str) -> int:
        return int(self._queues[queue].get_queue_properties().approximate_message_count or 0)

    def remove(self, queue: str) -> None:
        self._queues[queue].delete_queue()


@pytest.fixture
def on_queues(azurite: str) -> OnQueues:
    return OnQueues(azurite, notifies=True)


@pytest.fixture(params=["memory", "simulated", "azurite"])
def outside(request: pytest.FixtureRequest) -> Outside:
    if request.param == "memory":
        return InMemory()
    if request.param == "simulated":
        return simulated.Queued()
    queues: OnQueues = request.getfixturevalue("on_queues")
    return queues


def test_a_published_fact_arrives_as_it_was(outside: Outside) -> None:
    outside.bus.publish([UPLOAD])
    assert outside.wait_for("steps") == [UPLOAD]


def test_each_publication_is_a_delivery(outside: Outside) -> None:
    """The bus forgets nothing and compares nothing: that a fact is meant once is the ledger's business."""
    outside.bus.publish([UPLOAD, UPLOAD])
    outside.bus.publish(iter([UPLOAD]))
    assert outside.held("steps") == 3
    outside.bus.publish([])
    assert outside.held("steps") == 3


def test_shards_do_not_stand_in_the_way_of_the_others(outside: Outside) -> None:
    outside.bus.publish([SHARD, UPLOAD])
    assert outside.wait_for("shards") == [SHARD]
    assert outside.wait_for("steps") == [UPLOAD]


def test_a_delayed_fact_is_there_and_cannot_be_taken_yet(outside: Outside) -> None:
    outside.bus.publish([DatasetDue(dataset="bank", cause="c", after_seconds=3600)])
    assert outside.take("steps") == []
    assert outside.held("steps") == 1


def test_the_time_of_a_delayed_fact_comes_and_it_waits_for_no_other(outside: Outside) -> None:
    later = DatasetDue(dataset="bank", cause="later", after_seconds=3600)
    soon = DatasetDue(dataset="bank", cause="soon", after_seconds=1)
    outside.bus.publish([later, soon])
    assert outside.wait_for("steps") == [soon]


# --- what only Azure can do wrong ------------------------------------------------------------------------------


def test_what_happened_has_subscribers_told_soon(on_queues: OnQueues) -> None:
    on_queues.bus.announce([UPLOAD, SHARD])
    (told,) = on_queues.wait_for("steps")
    assert isinstance(told, NotificationDue)


def test_without_subscribers_nobody_is_told(azurite: str) -> None:
    alone = OnQueues(azurite, notifies=False)
    alone.bus.announce([UPLOAD])
    assert (alone.held("steps"), alone.held("shards")) == (0, 0)


def test_when_nothing_happened_nobody_is_told(on_queues: OnQueues) -> None:
    on_queues.bus.announce([])
    assert on_queues.held("steps") == 0


def test_an_announcement_that_fails_does_not_fail_the_work(
    on_queues: OnQueues, caplog: pytest.LogCaptureFixture
) -> None:
    on_queues.remove("steps")
    on_queues.bus.announce([UPLOAD])
    assert "the reconciler has them delivered" in caplog.text


def test_a_queue_that_does_not_take_a_fact_fails_the_work(on_queues: OnQueues) -> None:
    on_queues.remove("steps")
    with pytest.raises(Transient, match="steps"):
        on_queues.bus.publish([UPLOAD])


def test_a_fact_never_expires(on_queues: OnQueues) -> None:
    on_queues.bus.publish([UPLOAD])
    (message,) = until(lambda: on_queues.messages("steps"))
    assert message.expires_on - datetime.now(UTC) > timedelta(days=365)


def test_the_longest_fact_fits_a_message(on_queues: OnQueues) -> None:
    """Reasons are cut at 1,000 characters, blob names by storage at 1,024."""
    longest = [
        UploadArrived(name="ç" * 1024, etag="0x8DF2C6B2A1B3C4D"),
        RunFailed(run="r" * 255, dataset="bank-additional", version=10**6, reason="ç" * 1000),
    ]
    on_queues.bus.publish(longest)
    found = on_queues.wait_for("steps") + on_queues.take("steps")
    assert sorted(found, key=lambda fact: fact.key) == sorted(longest, key=lambda fact: fact.key)
