"""When deliveries are tried again, when they are given up, and what is left of them then."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent, EventGridPublisherClient
from azure.storage.blob import ContainerClient

from localazure.events.patience import SCHEDULE, Failure, Patience, refusal
from localazure.storage.supervisor import Azurite
from running_azure.events import KEY, Inbox, Pump
from running_azure.receiver import Answer, Receiver, Sent, agreeing
from running_azure.waiting import until

ANY = Failure("any", outcome="GenericError")


def test_the_schedule_is_the_documented_one() -> None:
    waits = [Patience().wait(attempts, ANY) for attempts in range(1, 13)]
    assert SCHEDULE == (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200)
    for wait, scheduled in zip(waits, [*SCHEDULE, 43200, 43200], strict=True):
        assert scheduled <= wait <= 1.1 * scheduled
    assert all(before < after for before, after in pairwise(waits[:10]))
    assert 0.1 <= Patience(retry_scale=0.01).wait(1, ANY) <= 0.11


@pytest.mark.parametrize(
    ("status", "azure", "outcome", "final", "at_least"),
    [
        (400, True, "BadRequest", True, 10),
        (400, False, "BadRequest", True, 10),
        (401, True, "Unauthorized", False, 300),
        (401, False, "Unauthorized", True, 10),
        (403, True, "Forbidden", True, 10),
        (404, True, "NotFound", False, 300),
        (404, False, "NotFound", False, 10),
        (408, False, "TimedOut", False, 120),
        (413, False, "PayloadTooLarge", True, 10),
        (429, False, "Busy", False, 10),
        (500, False, "GenericError", False, 10),
        (503, False, "Busy", False, 30),
    ],
)
def test_what_an_answer_means(status: int, azure: bool, outcome: str, final: bool, at_least: float) -> None:
    failure = refusal(status, "said", azure=azure)
    assert (failure.outcome, failure.is_final, failure.at_least) == (outcome, final, at_least)
    assert Patience().wait(1, failure) >= at_least


@pytest.fixture
def dead(azurite: str, name: str) -> ContainerClient:
    """A container for dead letters, not made yet."""
    return ContainerClient.from_connection_string(azurite, f"{name}-dead")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def grid(
    azurite_service: Azurite, tmp_path: Path, free_port: Callable[[], int], name: str, receiver: Receiver
) -> Iterator[Callable[..., Pump]]:
    """Call it for an Event Grid whose topic `custom` is subscribed to by the receiver, or by a queue."""
    made: list[Pump] = []

    def start(*extra: str, queue: str = "", **retries: int) -> Pump:
        hook = {"endpointType": "WebHook", "properties": {"endpointUrl": receiver.url}}
        lying = {"endpointType": "StorageQueue", "properties": {"queueName": queue}}
        properties: dict[str, Any] = {
            "destination": lying if queue else hook,
            "retryPolicy": retries,
            "deadLetterDestination": {
                "endpointType": "StorageBlob",
                "properties": {"blobContainerName": f"{name}-dead"},
            },
        }
        entry = {"name": "sub", "topic": "custom", "properties": properties}
        pump = Pump(
            state=tmp_path, port=free_port(), azurite=azurite_service, subscriptions=[entry], scale=0.001
        )
        made.append(pump)
        pump.start(*extra)
        return pump

    yield start
    for pump in made:
        pump.stop()


def publish(pump: Pump, *events: EventGridEvent | CloudEvent) -> None:
    endpoint = f"{pump.url}/topics/custom/api/events"
    with EventGridPublisherClient(endpoint, AzureKeyCredential(KEY)) as publisher:
        publisher.send(list(events))


def event(subject: str = "s") -> EventGridEvent:
    return EventGridEvent(subject=subject, event_type="Made", data={"n": 1}, data_version="1")


def refusing(status: int) -> Callable[[Sent], Answer]:
    return lambda sent: (
        agreeing(sent) if sent.is_validation or sent.method == "OPTIONS" else (status, {}, b"")
    )


def buried(dead: ContainerClient) -> tuple[str, dict[str, Any]]:
    """The name and content of the first dead letter, waited for."""
    until(lambda: any(dead.list_blob_names()), "a dead letter")
    name = next(iter(dead.list_blob_names()))
    [letter] = json.loads(dead.download_blob(name).readall())
    return name, letter


def test_after_so_many_attempts_it_is_a_dead_letter(
    grid: Callable[..., Pump], receiver: Receiver, dead: ContainerClient
) -> None:
    dead.create_container()
    receiver.answer = refusing(500)
    pump = grid(maxDeliveryAttempts=3)
    publish(pump, event("lost"))
    name, letter = buried(dead)
    assert re.fullmatch(r"SUB/\d{4}/\d{1,2}/\d{1,2}/\d{1,2}/[0-9a-f-]{36}\.json", name)
    assert len(receiver.events) == 3
    assert (letter["subject"], letter["data"]) == ("lost", {"n": 1})
    assert letter["deadLetterReason"] == "MaxDeliveryAttemptsExceeded"
    assert (letter["deliveryAttempts"], letter["lastDeliveryOutcome"]) == (3, "GenericError")
    first, last = (datetime.fromisoformat(letter[key]) for key in ("publishTime", "lastDeliveryAttemptTime"))
    assert first < last <= datetime.now(UTC)


def test_a_refusal_for_good_is_a_dead_letter_at_once(
    grid: Callable[..., Pump], receiver: Receiver, dead: ContainerClient
) -> None:
    """The names are those of the event's own schema."""
    dead.create_container()
    receiver.answer = refusing(400)
    pump = grid()
    publish(pump, CloudEvent(source="/me", type="Made", data={"n": 1}))
    _, letter = buried(dead)
    assert len(receiver.events) == 1
    assert letter["specversion"] == "1.0"
    assert (letter["deadletterreason"], letter["deliveryattempts"], letter["lastdeliveryoutcome"]) == (
        "UndeliverableDueToClientError", 1, "BadRequest",
    )  # fmt: skip


def test_too_old_it_is_a_dead_letter(
    grid: Callable[..., Pump], receiver: Receiver, dead: ContainerClient
) -> None:
    dead.create_container()
    receiver.answer = refusing(503)
    pump = grid("--life-scale", "0.02", eventTimeToLiveInMinutes=1)
    publish(pump, event())
    assert buried(dead)[1]["deadLetterReason"] == "TimeToLiveExceeded"


def test_a_missing_container_is_waited_for(
    grid: Callable[..., Pump], receiver: Receiver, dead: ContainerClient
) -> None:
    receiver.answer = refusing(413)
    pump = grid()
    publish(pump, event())
    until(lambda: "the dead letter is written later" in pump.log.read_text(), "the first try")
    dead.create_container()
    assert buried(dead)[1]["lastDeliveryOutcome"] == "PayloadTooLarge"


def test_a_container_that_never_comes_is_given_up(grid: Callable[..., Pump], receiver: Receiver) -> None:
    receiver.answer = refusing(413)
    pump = grid("--life-scale", "0.00005")
    publish(pump, event())
    until(lambda: "no dead letter could be written" in pump.log.read_text(), "the drop")


def test_a_dead_letter_outlives_a_kill(
    grid: Callable[..., Pump], receiver: Receiver, dead: ContainerClient
) -> None:
    receiver.answer = refusing(400)
    pump = grid()
    publish(pump, event("kept"))
    until(lambda: "becomes a dead letter" in pump.log.read_text(), "the verdict")
    pump.kill()
    dead.create_container()
    pump.start()
    assert buried(dead)[1]["subject"] == "kept"
    assert len(receiver.events) == 1


def test_what_no_queue_takes_does_not_hold_up_what_it_takes(
    grid: Callable[..., Pump], azurite: str, name: str, dead: ContainerClient
) -> None:
    """A message may have 64 KiB; the event is larger once it is base64."""
    dead.create_container()
    inbox = Inbox(azurite, name)
    inbox.create()
    pump = grid(queue=name)
    large = EventGridEvent(subject="large", event_type="Made", data={"x": "y" * 60_000}, data_version="1")
    publish(pump, large, event("small"))
    assert [one["subject"] for one in inbox.take(1)] == ["small"]
    assert buried(dead)[1]["subject"] == "large"
