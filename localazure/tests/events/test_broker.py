"""Subscriptions that are changed while events come, and by two at once; and those that an earlier version took."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localazure.events.broker import Broker
from localazure.events.courier import HANDS
from localazure.events.faults import Chance, Faults
from localazure.events.journal import Journal
from localazure.events.patience import Patience
from localazure.events.storage_services import StorageServices
from running_azure.receiver import Answer, Receiver, Sent, agreeing
from running_azure.waiting import until


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.sqlite")
    yield made
    made.close()


@pytest.fixture
def broker(journal: Journal) -> Iterator[Broker]:
    made = Broker(
        journal,
        storage=StorageServices("UseDevelopmentStorage=true"),
        chance=Chance(Faults(), None),
        patience=Patience(retry_scale=0.01),
        url="http://127.0.0.1:1",
        topic_id=lambda name: name,
    )
    yield made
    made.stop()


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


@pytest.fixture
def hook(broker: Broker, gate: threading.Event) -> Iterator[Receiver]:
    """Subscribed by a name of its own; it has an event in hand, which it takes when the gate opens."""

    def hang(sent: Sent) -> Answer:
        if not sent.is_validation:
            gate.wait(40)
        return agreeing(sent)

    with Receiver() as made:
        made.answer = hang
        broker.start([])
        broker.subscribe(entry(made))
        publish(broker, "first")
        made.await_events(1)
        yield made
        gate.set()


NAME = f"hook{uuid.uuid4().hex[:6]}"


def entry(hook: Receiver) -> dict[str, Any]:
    return {"name": NAME, "topic": "custom", "webhook": hook.url}


def publish(broker: Broker, subject: str) -> None:
    broker.accept("custom", [{"id": subject, "subject": subject, "eventType": "Made", "data": {}}])


def both(*works: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_what_comes_while_a_subscription_is_changed_is_delivered(
    broker: Broker, hook: Receiver, gate: threading.Event
) -> None:
    changed = threading.Event()
    published: list[str] = []

    def change() -> None:
        broker.subscribe(entry(hook))
        changed.set()

    def publish_meanwhile() -> None:
        while not changed.wait(0.01):
            published.append(f"meanwhile {len(published)}")
            publish(broker, published[-1])

    both(change, publish_meanwhile)
    gate.set()
    assert published
    until(lambda: {*published} <= {one.body[0]["subject"] for one in hook.events}, "each of them")


def test_two_changes_at_once_leave_one_courier(broker: Broker, hook: Receiver, gate: threading.Event) -> None:
    both(lambda: broker.subscribe(entry(hook)), lambda: broker.subscribe(entry(hook)))
    gate.set()

    def hands() -> int:
        return sum(thread.name.startswith(f"{NAME} ") for thread in threading.enumerate())

    until(lambda: hands() == HANDS, "one courier", seconds=20)


def test_one_that_will_not_do_any_more_keeps_no_other_from_starting(
    broker: Broker, journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.subscribe("bad", {"name": "bad", "topic": "t", "webhook": "https://x:99999/"})
    journal.subscribe("good", {"name": "good", "topic": "t", "queue": "q"})
    broker.start([])
    assert [one.name for one in broker.subscriptions()] == ["good"]
    assert "left out until it is made anew: subscription bad: the webhook" in capsys.readouterr().err
    broker.unsubscribe("bad")
    assert [one["name"] for one in journal.subscribed()] == ["good"]
