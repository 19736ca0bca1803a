"""What a newcomer finds made: a container, queues, and the event subscriptions that fill them."""

from __future__ import annotations

import json
from pathlib import Path

from localazure.storage.client import Service
from localazure.up.addresses import EXAMPLE_TOPIC

CONTAINER = "data"
SUBSCRIPTIONS = (
    {"name": "storage", "topic": "storage", "queue": "storage-events"},
    {"name": "workspace", "topic": "workspace", "queue": "workspace-events"},
    {"name": EXAMPLE_TOPIC, "topic": EXAMPLE_TOPIC, "queue": "example-events"},
)
_MADE, _THERE = 201, (204, 409)


class NotMade(Exception):
    """Storage would not make a container or a queue; the message holds its answer."""


def subscriptions_file(state: Path) -> Path:
    """Written at the first start; whoever changes it finds the change at the next one."""
    file = state / "subscriptions.json"
    if not file.exists():
        file.write_text(json.dumps(SUBSCRIPTIONS, indent=1), encoding="utf-8")
    return file


def make(storage: str) -> None:
    """The container and the queues; those that are there stay as they are. storage: its connection string"""
    _put(Service(storage, "Blob"), CONTAINER, {"restype": "container"})
    for entry in SUBSCRIPTIONS:
        _put(Service(storage, "Queue"), entry["queue"], {})


def _put(service: Service, name: str, query: dict[str, str | int]) -> None:
    answer = service.call("PUT", f"/{name}", query=query)
    if answer.status not in (_MADE, *_THERE):
        raise NotMade(f"{service.endpoint}/{name}: {answer.status} {answer.code}")
