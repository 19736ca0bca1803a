"""Replay of events: a span of the history delivered to one subscriber again, each event with the id that it always had."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared.domain.facts import EventReplayDue
from shared.errors import Busy, Refused, Transient
from shared.ledger import Entry, cloud_event
from shared.ports import Subscriber
from shared.procedures.event_replay import stretches
from shared.procedures.subscriber_cursor import CURSOR, Cursor
from shared.services import Services

AT_ONCE = 25
"""Events a call of the subscriber."""
MOST, MOST_READ = 200, 2000
"""Events for one fact, delivered and read: where its worker dies, no more than these come a third time."""
LONGEST_PAUSE, MOST_PAUSES = 3600, 24
"""Seconds that a subscriber's own wish for a pause is kept at most, and how often in a row; then a person is told."""
PAUSE = 30
"""Seconds after a stretch that it took a part of."""


def replay_events(fact: EventReplayDue, services: Services) -> Iterable[EventReplayDue]:
    """The fact is the cursor: it is done once a stretch was taken, and leads to the one of the next stretch. Where a worker
    dies the same stretch comes again, with the same ids. What is new meanwhile comes by the subscriber's own cursor, which
    does not move.

    raises: Refused, Transient: what the subscriber answered; after some attempts a person is told, and may have it go on
    """
    subscriber, granted = _subscriber(fact.subscriber, services)
    told = _Told(reached=fact.next)
    try:
        for read in stretches(fact, fact.next, services.ledger):
            if not _delivered(read.events, told, subscriber, granted, services):
                break
            told.reached = read.next
            if told.events >= MOST or told.reached - fact.next >= MOST_READ:
                break
    except Busy as problem:
        if fact.tries >= MOST_PAUSES:
            raise
        return [_later(fact, told, problem.seconds)]
    except (Transient, Refused):
        if not told.moved_from(fact.next):
            raise
        return [_later(fact, told, PAUSE)]
    if told.reached >= fact.end or not told.moved_from(fact.next):
        return []
    return [_later(fact, told, 60 * told.events / granted.per_minute if granted.per_minute else 0)]


@dataclass
class _Told:
    """How far this attempt has come."""

    reached: int
    events: int = 0

    def moved_from(self, number: int) -> bool:
        return self.reached > number


def _subscriber(name: str, services: Services) -> tuple[Subscriber, Cursor]:
    """With what it granted in its handshake. raises: Refused, Transient"""
    found = next((one for one in services.subscribers if one.name == name), None)
    cursor = services.ledger.documents.read(CURSOR, name)
    if found is None or (cursor is not None and cursor.value.gone):
        raise Refused(
            f"the subscriber {name} gets no events: it is no longer set up, or wants to hear no more"
        )
    if cursor is None or not cursor.value.shook_hands:
        raise Transient(f"the subscriber {name} has not agreed to get events yet")
    return found, cursor.value


def _delivered(
    events: list[Entry], told: _Told, subscriber: Subscriber, granted: Cursor, services: Services
) -> bool:
    """Whether it took them all; as many as it granted for a minute at most. raises: Busy, when it took some"""
    most = granted.per_minute or MOST
    while events:
        if told.events >= most:
            return False
        now = events[: min(AT_ONCE, most - told.events)]
        try:
            taken = subscriber.deliver([cloud_event(event, source=services.event_source) for event in now])
        except Busy as problem:
            _count(problem.taken, events, told)
            raise
        _count(taken, events, told)
        events = events[taken:]
        if taken < len(now):
            return False
    return True


def _count(taken: int, events: list[Entry], told: _Told) -> None:
    told.events += taken
    if taken:
        told.reached = events[taken - 1].number + 1


def _later(fact: EventReplayDue, told: _Told, seconds: float) -> EventReplayDue:
    """The fact that goes on from where it came to."""
    moved = told.moved_from(fact.next)
    return replace(
        fact, next=told.reached, told=fact.told + told.events, tries=0 if moved else fact.tries + 1,
        after_seconds=math.ceil(min(seconds, LONGEST_PAUSE)),
    )  # fmt: skip
