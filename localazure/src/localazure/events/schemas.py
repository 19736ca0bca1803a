"""The two forms of an event: what a publisher must give, and how one becomes the other.

Sources: https://learn.microsoft.com/azure/event-grid/event-schema and .../cloud-event-schema
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from localazure.events.subscriptions import CLOUD_EVENTS

_NEEDED = {
    "EventGridEvent": ("id", "subject", "eventType", "eventTime", "dataVersion"),
    "CloudEvent": ("id", "source", "type", "specversion"),
}
_ALLOWED_EMPTY = frozenset({"dataVersion"})


class BadEvents(Exception):
    """The body is not a batch of events of the schema its content type names."""


def is_cloud(event: Mapping[str, Any]) -> bool:
    return "specversion" in event


def published(body: bytes, content_type: str, *, topic: str, system: bool) -> list[dict[str, Any]]:
    """The events in a request to the topic with that resource id; raises BadEvents.

    A topic of a service (`system`) says itself where its events come from: always its resource id.
    """
    if "cloudevents" in content_type.lower():
        events = _batch(body, "CloudEvent")
        for number, event in enumerate(events):
            if event["specversion"] != "1.0":
                raise BadEvents(f"event {number} has specversion {event['specversion']!r}: 1.0")
        return events
    events = _batch(body, "EventGridEvent")
    for number, event in enumerate(events):
        _check_time(number, event)
        if not system and event.get("topic") and str(event["topic"]).lower() != topic.lower():
            raise BadEvents(
                f"event {number} names the topic {event['topic']!r}: leave it out, or say {topic}"
            )
    return [{**event, "topic": topic, "metadataVersion": "1"} for event in events]


def _check_time(number: int, event: Mapping[str, Any]) -> None:
    try:
        datetime.fromisoformat(str(event["eventTime"]))
    except ValueError as cause:
        raise BadEvents(
            f"event {number} has the eventTime {event['eventTime']!r}, which is no time"
        ) from cause


def _batch(body: bytes, schema: str) -> list[dict[str, Any]]:
    """The batch; a single CloudEvent is as good as a batch of one."""
    try:
        events = json.loads(body)
    except ValueError as cause:
        raise BadEvents(f"the body is not JSON: {cause}") from cause
    if isinstance(events, dict) and schema == "CloudEvent":
        events = [events]
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise BadEvents(f"the body is not a JSON array of {schema} objects")
    for number, event in enumerate(events):
        missing = [name for name in _NEEDED[schema] if not _is_there(event, name)]
        if missing:
            raise BadEvents(f"event {number} is not a {schema}: {', '.join(missing)} missing")
    return events


def _is_there(event: Mapping[str, Any], name: str) -> bool:
    return isinstance(event.get(name), str) and (bool(event[name]) or name in _ALLOWED_EMPTY)


def delivered(event: Mapping[str, Any], schema: str) -> Mapping[str, Any] | None:
    """The event in the form a subscription asks for; None when it cannot have it.

    Azure makes a CloudEvent of an EventGridEvent, but not the reverse.
    """
    if not schema or is_cloud(event) == (schema == CLOUD_EVENTS):
        return event
    return None if is_cloud(event) else _as_cloud_event(event)


def _as_cloud_event(event: Mapping[str, Any]) -> dict[str, Any]:
    made = {
        "id": event["id"],
        "source": event["topic"],
        "specversion": "1.0",
        "type": event["eventType"],
        "subject": event["subject"],
        "time": event["eventTime"],
        "data": event.get("data"),
    }
    if event.get("dataVersion"):
        made["dataschema"] = f"#{event['dataVersion']}"
    return made


def respelt(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event as other places show it: Azure ML's fields with the other kind of first letter, an eTag in quotes."""
    kind, data = str(event.get("eventType") or event.get("type") or ""), event.get("data")
    if not isinstance(data, Mapping):
        return event
    if kind.startswith("Microsoft.MachineLearningServices."):
        return {**event, "data": {_other_letter(name): value for name, value in data.items()}}
    if kind.startswith("Microsoft.Storage.") and data.get("eTag"):
        return {**event, "data": {**data, "eTag": f'"{data["eTag"]}"'}}
    return event


def _other_letter(name: str) -> str:
    return name[:1].swapcase() + name[1:]
