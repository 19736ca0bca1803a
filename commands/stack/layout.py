"""Containers, queues, tables and event subscriptions, before anything happens: in Azure, Bicep makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from commands.stack.errors import storage_in_words
from shared.resources import events
from shared.resources.storage import CONTAINERS, QUEUE_NAMES, TABLES

IDENTITY = {"type": "SystemAssigned"}


def _subscription(each: events.Subscription) -> dict[str, Any]:
    """In the form that Bicep has it in, less the account's resource id: there is one account."""
    types = {"includedEventTypes": list(each.types)}
    subject = {"subjectBeginsWith": each.subject, "isSubjectCaseSensitive": True} if each.subject else {}
    queue = {"endpointType": "StorageQueue", "properties": {"queueName": each.queue}}
    container = {"endpointType": "StorageBlob", "properties": {"blobContainerName": each.dead_letters}}
    return {
        "name": each.name,
        "topic": each.source,
        "properties": {
            "filter": {**types, **subject},
            "deliveryWithResourceIdentity": {"identity": IDENTITY, "destination": queue},
            "deadLetterWithResourceIdentity": {"identity": IDENTITY, "deadLetterDestination": container},
            "retryPolicy": {
                "eventTimeToLiveInMinutes": events.LIFE_MINUTES,
                "maxDeliveryAttempts": events.MOST_ATTEMPTS,
            },
        },
    }


SUBSCRIPTIONS = [_subscription(each) for each in events.SUBSCRIPTIONS]
"""As `localazure.events` reads them."""


@storage_in_words()
def create_storage_layout(connection_string: str) -> None:
    """Containers, queues each with the one its poison messages go to, and tables; raises: StackError."""
    from azure.core.exceptions import ResourceExistsError
    from azure.data.tables import TableServiceClient
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient

    blobs = BlobServiceClient.from_connection_string(connection_string)
    queues = QueueServiceClient.from_connection_string(connection_string)
    tables = TableServiceClient.from_connection_string(connection_string)
    wanted = (
        (blobs.create_container, [each.name for each in CONTAINERS], blobs.list_containers()),
        (queues.create_queue, QUEUE_NAMES, queues.list_queues()),
        (tables.create_table, TABLES, tables.list_tables()),
    )
    missing = []
    for create, names, listed in wanted:
        there = {each.name for each in listed}
        missing += [(create, name) for name in names if name not in there]
    for create, name in missing:
        try:
            create(name)
        except ResourceExistsError:
            continue  # the app, or another start, was quicker


def write_subscriptions(file: Path) -> None:
    """The event subscriptions, as `localazure.events` reads them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(SUBSCRIPTIONS, indent=1), encoding="utf-8")
