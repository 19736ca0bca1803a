"""As unkind as Event Grid may be: twice, late, out of order, not at all, in either form; and the same each time."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.storage.queue import QueueClient

from localazure.events.faults import Chance, Faults, unkind
from localazure.events.schemas import respelt
from localazure.storage.supervisor import Azurite
from localazure.strict import EVENTS, NAMES, UNKINDNESSES
from running_azure.events import KEY, Inbox, Pump
from running_azure.waiting import until

OF_EVENTS = sorted(one.name for one in UNKINDNESSES if one.part == EVENTS)


@pytest.mark.parametrize("name", OF_EVENTS)
def test_each_of_them_changes_what_is_delivered(name: str) -> None:
    chance = Chance(Faults().changed(unkind({name})), seed=1)
    drawn = [(chance.delays(), chance.is_plain(), chance.is_respelt()) for _ in range(60)]
    assert any(one != ([0.0], False, False) for one in drawn)
    again = Chance(Faults().changed(unkind({name})), seed=1)
    assert drawn == [(again.delays(), again.is_plain(), again.is_respelt()) for _ in range(60)]


def test_the_names_of_other_parts_change_nothing() -> None:
    assert unkind(NAMES - set(OF_EVENTS)) == {}


def test_at_a_queue_they_come_plain_and_twice(
    azurite_service: Azurite, tmp_path: Path, free_port: Callable[[], int], inbox: Inbox, name: str
) -> None:
    runs = {"name": "runs", "topic": "custom", "event_types": ["Run.Completed"], "queue": name}
    pump = Pump(state=tmp_path, port=free_port(), azurite=azurite_service, subscriptions=[runs])
    pump.start("--strict=events-plain,events-twice")
    about = {"subject": "runs/é<1>", "eventType": "Run.Completed", "eventTime": "2026-11-29T12:00:00Z"}
    events = [{"id": str(n), **about, "data": {"runId": n}, "dataVersion": "1"} for n in range(12)]
    topic = f"{pump.url}/topics/custom/api/events"
    assert requests.post(topic, json=events, headers={"aeg-sas-key": KEY}, timeout=10).ok
    queue = QueueClient.from_connection_string(azurite_service.connection_string, name)
    messages: list[str] = []

    def all_came() -> bool:
        for message in queue.receive_messages(max_messages=32):
            messages.append(message.content)
            queue.delete_message(message)
        waiting = requests.get(f"{pump.url}/health", timeout=10).json()["waiting"]
        return waiting == 0 and len(messages) > len(events)

    until(all_came)
    pump.stop()
    plain = [json.loads(text) for text in messages if text.startswith("{")]
    encoded = [json.loads(base64.b64decode(text)) for text in messages if not text.startswith("{")]
    assert plain
    assert encoded
    came = [event["id"] for event in [*plain, *encoded]]
    assert set(came) == {event["id"] for event in events}
    assert len(came) > len(set(came))
    assert {event["subject"] for event in [*plain, *encoded]} == {"runs/é<1>"}


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ({"eventType": "Microsoft.MachineLearningServices.RunCompleted", "data": {"runId": "r"}}, {"RunId": "r"}),
        ({"type": "Microsoft.MachineLearningServices.ModelRegistered", "data": {"modelName": "m"}}, {"ModelName": "m"}),
        ({"eventType": "Microsoft.Storage.BlobCreated", "data": {"eTag": "0x1"}}, {"eTag": '"0x1"'}),
        ({"eventType": "Microsoft.Storage.BlobDeleted", "data": {"url": "u"}}, {"url": "u"}),
        ({"eventType": "Ours", "data": {"runId": "r"}}, {"runId": "r"}),
        ({"eventType": "Ours", "data": None}, None),
    ],
)  # fmt: skip
def test_fields_are_spelt_in_the_other_way(event: dict[str, Any], data: Any) -> None:
    assert respelt(event)["data"] == data


def test_what_there_is_not_is_refused_at_the_start(
    azurite_service: Azurite, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    pump = Pump(state=tmp_path, port=free_port(), azurite=azurite_service, subscriptions=[])
    with pytest.raises(AssertionError):
        pump.start("--strict=no-such")
    assert pump.stop() == 2
    assert "events-lost" in pump.log.read_text()
