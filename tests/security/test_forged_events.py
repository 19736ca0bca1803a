"""S4: messages in the queues that nobody of ours, and no Event Grid of ours, has written.

Who may write there has a role, and yet: an event only says where to look. The blob is looked up in our own storage, by
container, name and ETag; no address in an event is ever followed.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from azure.functions import QueueMessage
from flow.world import World, bank_rows

from functions import runs, uploads
from shared import wiring
from shared.domain.facts import ReconcileDue

TOPIC = "/subscriptions/1/resourceGroups/campanha/providers/Microsoft.Storage/storageAccounts/ours"
URL = "https://169.254.169.254/metadata/instance"
CREATED: dict[str, Any] = {
    "topic": TOPIC,
    "eventType": "Microsoft.Storage.BlobCreated",
    "subject": "/blobServices/default/containers/incoming/blobs/forged.csv",
    "data": {"api": "PutBlob", "eTag": "0xF0", "url": URL},
}
HANDSHAKE = {
    "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
    "subject": "",
    "data": {"validationCode": "1", "validationUrl": URL},
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Nothing may be asked for over the network."""

    def reached(*_: object, **__: object) -> None:
        raise AssertionError("an address of an event was followed")

    monkeypatch.setattr(socket.socket, "connect", reached)
    world = World()
    world.drop("ours.csv", bank_rows(3))
    with mock.patch.object(wiring, "services", return_value=world.services):
        yield world


def _sent(trigger: Any, body: bytes) -> None:
    trigger.build(None).get_user_function()(QueueMessage(body=body))


def _event(**more: Any) -> bytes:
    return json.dumps({**CREATED, **more}).encode()


@pytest.mark.parametrize(
    "event",
    [
        HANDSHAKE,
        {**CREATED, "eventType": "Microsoft.Storage.BlobDeleted"},
        {**CREATED, "subject": "/blobServices/default/containers/datasets/blobs/forged.csv"},
        {**CREATED, "subject": "/blobServices/default/containers/incoming/../datasets/blobs/x.csv"},
        {**CREATED, "subject": "/blobServices/other/containers/incoming/blobs/x.csv"},
        {**CREATED, "subject": f"{URL}/blobServices/default/containers/incoming/blobs/x.csv"},
        {**CREATED, "eventType": "Microsoft.MachineLearningServices.RunCompleted"},
    ],
)
def test_an_event_of_something_else_leads_to_nothing(world: World, event: dict[str, Any]) -> None:
    _sent(uploads.upload_arrived, json.dumps(event).encode())
    assert (world.ledger.newest("upload"), world.ledger.newest("failure")) == ([], [])


@pytest.mark.parametrize("topic", [TOPIC.replace("ours", "theirs"), "", None, 7])
def test_an_event_of_another_account_is_about_a_file_that_is_not_there(world: World, topic: object) -> None:
    """Whatever topic it names: what is not in our storage, in that version, is not taken in."""
    _sent(uploads.upload_arrived, _event(topic=topic))
    (upload,) = world.ledger.newest("upload")
    assert (upload.state, upload.values["reason"]) == (
        "rejected",
        "the file was deleted or overwritten before it could be read; a newer version is taken instead",
    )
    assert world.ledger.newest("failure") == []


def test_a_forged_version_of_a_file_that_is_there_does_not_keep_it_from_being_taken_in(world: World) -> None:
    _sent(uploads.upload_arrived, _event(subject=CREATED["subject"].replace("forged", "ours")))
    world.pass_time(120)
    world.tell(ReconcileDue(tick="1"))
    states = {upload.values["etag"]: upload.state for upload in world.ledger.newest("upload")}
    assert states.pop("0xF0") == "rejected"
    assert list(states.values()) == ["registered"]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([CREATED] * 10_000).encode(),
        b"[" * 100_000,
        b'{"data":' * 50_000,
        _event(data={**CREATED["data"], "eTag": "x" * 60_000}),
        _event(subject=CREATED["subject"] + "/a" * 30_000),
        json.dumps(
            {"eventType": f"Microsoft.MachineLearningServices.Run{'x' * 40_000}", "subject": "", "data": {}}
        ).encode(),
        b"\x00" * 48_000,
    ],
    ids=["10,000 in an array", "deep array", "deep object", "long ETag", "long name", "long type", "zeros"],
)
def test_what_is_too_much_is_a_dead_letter_at_once_and_never_a_row_that_storage_cannot_hold(
    world: World, body: bytes
) -> None:
    began = time.perf_counter()
    _sent(uploads.upload_arrived, body)
    _sent(runs.run_moved, body)
    assert time.perf_counter() - began < 2
    dead = world.ledger.newest("failure")
    assert dead
    assert all(len(str(value)) <= 1000 for failure in dead for value in failure.values.values())
    assert world.ledger.newest("upload") == []
