"""Begin of a replay of events: each subscriber that is meant is told by itself, so that none waits for another."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import EventReplayDue, EventReplayRequested
from shared.services import Services


def begin_replay(fact: EventReplayRequested, services: Services) -> Iterable[EventReplayDue]:
    """A subscriber that is no longer set up is passed over, unless there is no other: then a person is told."""
    there = {one.name for one in services.subscribers}
    meant = [name for name in fact.subscribers if name in there] or fact.subscribers
    return [
        EventReplayDue(
            operation=fact.operation, subscriber=name, next=fact.first, end=fact.end, since=fact.since,
            until=fact.until, type=fact.type,
        )
        for name in meant
    ]  # fmt: skip
