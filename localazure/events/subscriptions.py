"""Which events of which topic go to which queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STORAGE_TOPIC = "storage"

Event = Mapping[str, Any]


class BadSubscriptions(Exception):
    """The subscriptions file does not say what a subscription needs: name, topic and queue."""


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One event subscription, to a storage queue. Empty filters let everything through."""

    name: str
    topic: str
    queue: str
    event_types: tuple[str, ...] = ()
    subject_begins_with: str = ""
    subject_ends_with: str = ""

    def wants(self, topic: str, event_type: str, subject: str) -> bool:
        """Event Grid compares subjects and types without regard to case unless told otherwise."""
        subject = subject.lower()
        return (
            topic == self.topic
            and (not self.event_types or event_type.lower() in {kind.lower() for kind in self.event_types})
            and subject.startswith(self.subject_begins_with.lower())
            and subject.endswith(self.subject_ends_with.lower())
        )


def read(file: Path) -> tuple[Subscription, ...]:
    """The subscriptions in `file`, a JSON list; raises BadSubscriptions with the place of the fault."""
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise BadSubscriptions(f"{file} cannot be read as JSON: {cause}") from cause
    return tuple(_subscription(entry, f"{file}, entry {n}") for n, entry in enumerate(entries, start=1))


def _subscription(entry: dict[str, Any], where: str) -> Subscription:
    try:
        return Subscription(**{**entry, "event_types": tuple(entry.get("event_types", ()))})
    except TypeError as cause:
        raise BadSubscriptions(f"{where}: {str(cause).removeprefix('Subscription.__init__() ')}") from cause


def type_and_subject(event: Event) -> tuple[str, str]:
    """What filters look at, in either schema (EventGridEvent has `eventType`, CloudEvent `type`)."""
    return str(event.get("eventType") or event.get("type") or ""), str(event.get("subject") or "")
