"""Event Grid with roles: who publishes signs in, and topics deliver as themselves."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridPublisherClient

from running_azure import access
from running_azure.access import ACCOUNT, GROUP, Credential
from running_azure.events import KEY, Pump
from running_azure.front import Front, running
from running_azure.waiting import until

MESSAGES = "Microsoft.Storage/storageAccounts/queueServices/queues/messages"
ROLES = {
    "owner": {"actions": ["Microsoft.Storage/*"], "dataActions": ["Microsoft.Storage/*"]},
    "queue sender": {"dataActions": [f"{MESSAGES}/add/action"]},
    "event sender": {"dataActions": ["Microsoft.EventGrid/events/send/action"]},
}
QUEUE = f"{ACCOUNT}/queueServices/default/queues/events"
TOPIC = f"{GROUP}/providers/Microsoft.EventGrid/topics/custom"
ASSIGNMENTS = (
    ("owner", "owner", ACCOUNT),
    ("topic", "queue sender", QUEUE),
    ("publisher", "event sender", TOPIC),
    ("neighbour", "event sender", f"{TOPIC}2"),
)


@dataclass(frozen=True)
class Grid:
    """Event Grid with one custom topic, delivering to a queue of an account without keys."""

    front: Front
    url: str

    def publish(self, credential: Any, name: str = "one") -> None:
        address = f"{self.url}/topics/custom/api/events"
        with EventGridPublisherClient(address, credential, retry_total=0) as client:
            client.send([CloudEvent(source="/test", type="Test", data={"name": name})])

    def taken(self) -> list[str]:
        """Names of the events that came."""
        queue = self.front.queues("owner").get_queue_client("events")
        found = []
        for message in queue.receive_messages():
            found.append(json.loads(base64.b64decode(message.content))["data"]["name"])
            queue.delete_message(message)
        return found

    def dropped(self) -> int:
        told = requests.get(f"{self.url}/subscriptions", timeout=10, verify=str(self.front.bundle)).json()
        return int(told["value"][0]["dropped"])


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[Grid]:
    state = tmp_path_factory.mktemp("grid")

    def write(file: Path, addresses: dict[str, str]) -> object:
        acts = {"topic:custom": "topic"}
        return access.write(file, roles=ROLES, assignments=ASSIGNMENTS, endpoints=addresses, acts=acts)

    with running(state, free_port, write) as front:
        front.queues("owner").create_queue("events")
        pump = Pump(
            state=state, port=free_port(), azurite=front, scheme="https",
            subscriptions=[{"name": "all", "topic": "custom", "properties": {
                "eventDeliverySchema": "CloudEventSchemaV1_0",
                "deliveryWithResourceIdentity": {"identity": {"type": "SystemAssigned"}, "destination": {
                    "endpointType": "StorageQueue", "properties": {"queueName": "events"}}}}}],
        )  # fmt: skip
        pump.start("--access", str(front.file), "--resource-group", GROUP)
        try:
            yield Grid(front=front, url=pump.url)
        finally:
            pump.stop()


@pytest.fixture(autouse=True)
def _trusted(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(grid.front.bundle))


def test_publishing_asks_for_the_role(grid: Grid) -> None:
    grid.publish(Credential("publisher"), "allowed")
    came: list[str] = []
    until(lambda: came.extend(grid.taken()) or came == ["allowed"], "the event", seconds=30)
    with pytest.raises(HttpResponseError) as refusal:
        grid.publish(Credential("neighbour"))
    assert refusal.value.status_code == 403
    assert "Microsoft.EventGrid/events/send/action" in str(refusal.value)
    for wrong in (
        AzureKeyCredential(KEY),
        Credential("publisher", audience="https://storage.azure.com"),
        Credential("publisher", seconds=-1),
        Credential("publisher", key="another"),
    ):
        with pytest.raises(ClientAuthenticationError):
            grid.publish(wrong)


def test_a_topic_delivers_as_itself_and_not_without_its_role(grid: Grid) -> None:
    """As in Azure, an event that storage refuses is not tried again: the first ones, before the role works, are lost."""
    with grid.front.without("topic"):
        grid.publish(Credential("publisher"), "refused")
        until(lambda: grid.dropped() == 1, "an event that is refused", seconds=30)
    grid.publish(Credential("publisher"), "after")
    came: list[str] = []
    until(lambda: came.extend(grid.taken()) or came == ["after"], "its delivery", seconds=60)
    noted = [json.loads(line) for line in (grid.front.state / "asked-storage.jsonl").read_text().splitlines()]
    assert ("topic", "Put Message") in {(one["identity"], one["call"]) for one in noted}
