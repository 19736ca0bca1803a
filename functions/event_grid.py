"""Event Grid's events as messages, in either of its schemas: its own, and CloudEvents 1.0."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shared.domain.json_types import fits
from shared.errors import UnreadableMessage

LONGEST = 1024
"""Characters of a blob's name; ETags and names of runs are shorter. source: Azure, naming containers and blobs"""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What both schemas say."""

    type: str
    subject: str
    data: dict[str, Any]

    def text(self, name: str) -> str:
        """The text under this name in its data, whatever its first letter: Azure ML's events are documented with either.

        raises: UnreadableMessage
        """
        value = self.data.get(name, self.data.get(name[:1].upper() + name[1:]))
        if not fits(value, str) or not value:
            raise UnreadableMessage(f"it is a {self.type} whose data have no {name}")
        if len(value) > LONGEST:  # no row of ours could hold it, not even that of its dead letter
            raise UnreadableMessage(f"it is a {self.type} whose {name} is longer than there are any")
        return str(value)


def event_in(body: bytes) -> Event:
    """The event in a message; raises: UnreadableMessage"""
    try:
        event = json.loads(body.decode())
    except UnicodeDecodeError as cause:
        raise UnreadableMessage("it is no UTF-8") from cause
    except (ValueError, RecursionError) as cause:
        raise UnreadableMessage(f"it is no JSON: {type(cause).__name__}") from cause
    if not isinstance(event, dict):
        raise UnreadableMessage("it is no event: a JSON object is wanted")
    of_cloud_events = "specversion" in event
    wanted: dict[str, Any] = {"type" if of_cloud_events else "eventType": str, "subject": str, "data": dict}
    wrong = [name for name, hint in wanted.items() if not fits(event.get(name), hint)]
    if wrong:
        schema = "CloudEvents" if of_cloud_events else "Event Grid"
        raise UnreadableMessage(f"it is no event of the {schema} schema: it has no {', '.join(wrong)}")
    type_, subject, data = (event[name] for name in wanted)
    return Event(type=type_, subject=subject, data=data)
