"""A running event service, with a container and a queue of the test's own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from localazure.storage.supervisor import Azurite
from running_azure.events import Inbox, Pump


@pytest.fixture
def name() -> str:
    """A name for this test's container and queue."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def inbox(azurite: str, name: str) -> Inbox:
    made = Inbox(azurite, name)
    made.create()
    return made


@pytest.fixture
def container(azurite: str, name: str) -> ContainerClient:
    return BlobServiceClient.from_connection_string(azurite).create_container(name)


@pytest.fixture
def pump(azurite_service: Azurite, tmp_path: Path, free_port: Callable[[], int], name: str) -> Iterator[Pump]:
    """Running; the container `name` and the topic `custom` are subscribed to the queue `name`."""
    made = Pump(
        state=tmp_path,
        port=free_port(),
        azurite=azurite_service,
        subscriptions=[
            {
                "name": "blobs",
                "topic": "storage",
                "subject_begins_with": f"/blobServices/default/containers/{name}/",
                "event_types": ["Microsoft.Storage.BlobCreated"],
                "queue": name,
            },
            {"name": "runs", "topic": "custom", "event_types": ["Run.Completed"], "queue": name},
        ],
    )
    made.start()
    yield made
    made.stop()
