"""Containers, queues and event subscriptions, before anything happens: in Azure, Bicep makes them."""

from __future__ import annotations

import json
from pathlib import Path

from commands.stack.errors import storage_in_words

CONTAINERS = ("incoming", "scoring", "quarantine", "datasets", "scored", "outcomes", "suppression", "recipes")
QUEUES = ("blob-events", "run-events", "steps", "shards")
MACHINE_LEARNING = "Microsoft.MachineLearningServices"
SUBSCRIPTIONS = [
    {
        "name": "incoming",
        "topic": "storage",
        "subject_begins_with": "/blobServices/default/containers/incoming/",
        "event_types": ["Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobRenamed"],
        "queue": "blob-events",
    },
    {
        "name": "outcomes",
        "topic": "storage",
        "subject_begins_with": "/blobServices/default/containers/outcomes/",
        "event_types": ["Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobRenamed"],
        "queue": "blob-events",
    },
    {
        "name": "runs",
        "topic": "workspace",
        "event_types": [f"{MACHINE_LEARNING}.RunStatusChanged", f"{MACHINE_LEARNING}.RunCompleted"],
        "queue": "run-events",
    },
]


@storage_in_words()
def create_storage_layout(connection_string: str) -> None:
    """Containers, and queues each with the one its poison messages go to; raises: StackError."""
    from azure.core.exceptions import ResourceExistsError
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient

    blobs = BlobServiceClient.from_connection_string(connection_string)
    queues = QueueServiceClient.from_connection_string(connection_string)
    there = {container.name for container in blobs.list_containers()}
    there_too = {queue.name for queue in queues.list_queues()}
    missing = [(blobs.create_container, name) for name in CONTAINERS if name not in there]
    missing += [
        (queues.create_queue, name)
        for queue in QUEUES
        for name in (queue, f"{queue}-poison")
        if name not in there_too
    ]
    for create, name in missing:
        try:
            create(name)
        except ResourceExistsError:
            continue  # the app, or another start, was quicker


def write_subscriptions(file: Path) -> None:
    """The event subscriptions, as `localazure.events` reads them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(SUBSCRIPTIONS, indent=1), encoding="utf-8")
