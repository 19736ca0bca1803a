"""Webhook delivery: every event to every subscriber, in order and at least once, with a cursor for each and backoff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.facts import Fact, NotificationDue, StepDeadLettered
from shared.errors import Busy, Conflict, Gone, Refused, Transient
from shared.ledger import Entry, Versioned, cloud_event
from shared.ports import Subscriber
from shared.procedures.isolation import each_by_itself
from shared.procedures.subscriber_cursor import CURSOR, Cursor
from shared.services import Services

AT_ONCE = 25
FIRST_EVENTS = 100
"""A new subscriber's cursor begins so many events back: none that happened around its coming is missed."""
LEASE = timedelta(seconds=120)
"""How long one worker has a subscriber to itself; longer than `LONGEST_DELIVERY` and the time-out after it."""
SHORTEST, LONGEST = 30, 3600
"""Seconds between tries when a subscriber does not take an event: twice as long each time."""
LONGEST_WISH = 24 * 3600
"""Seconds that a subscriber's own wish for a pause is kept at most: events wait, and a person may have to know."""
MOST_REFUSALS = 12
"""An event refused so often (some hours of it) is dead-lettered, so that later ones are delivered."""


def notify_subscribers(fact: NotificationDue, services: Services) -> Iterable[Fact]:
    """Each subscriber has a cursor in the event log, moved on only after it took the events. A crash in between
    delivers some again with the same id, which is how a receiver of CloudEvents knows a duplicate."""
    count = services.ledger.events.count()
    found = each_by_itself(lambda one: _deliver(one, count, fact, services), services.subscribers)
    return _with_one_sequel(found)


def _with_one_sequel(found: Iterable[Fact]) -> Iterator[Fact]:
    """One notification more serves every subscriber that is behind: one for each would double them at every step."""
    sequels = 0
    for fact in found:
        sequels += isinstance(fact, NotificationDue)
        if sequels <= 1 or not isinstance(fact, NotificationDue):
            yield fact


def _deliver(subscriber: Subscriber, count: int, fact: NotificationDue, services: Services) -> Iterator[Fact]:
    cursor = _cursor(subscriber, count, services)
    if cursor is not None and cursor.value.gone:
        dead = _gone(subscriber)  # whoever found it gone may have died before anybody was told
        yield from [] if services.ledger.outbox.is_noted(dead) else [dead]
        return
    if cursor is None or not _is_due(cursor.value, count, services.now()):
        return
    try:
        cursor = _moved(subscriber, cursor, services, until=(services.now() + LEASE).isoformat())
    except Conflict:
        return  # another worker is at it
    events = services.ledger.events.following(cursor.value.next, limit=AT_ONCE)
    if not events:
        return
    try:
        cursor = _agreed(subscriber, cursor, services)
        events = events[: cursor.value.per_minute]
        taken = subscriber.deliver([cloud_event(entry, source=services.event_source) for entry in events])
    except Gone:
        _moved(subscriber, cursor, services, gone=True, until=None)
        yield _gone(subscriber)
        return
    except (Transient, Refused) as problem:
        if isinstance(problem, Busy) and problem.taken:
            _moved(
                subscriber, cursor, services, next=cursor.value.next + problem.taken, shook_hands=True,
                failures=0, not_before=_in(_wished(problem), services), until=None,
            )  # fmt: skip
        else:
            yield from _back_off(subscriber, cursor, events[0], problem, services)
        return
    reached, per_minute = cursor.value.next + taken, cursor.value.per_minute
    pause = 60 * taken / per_minute if per_minute else 0
    _moved(
        subscriber, cursor, services, next=reached, shook_hands=True, failures=0,
        not_before=_in(pause, services) if pause else None, until=None,
    )  # fmt: skip
    if reached < count and not pause:  # else a later tick goes on
        yield NotificationDue(tick=f"{fact.tick.partition('/')[0]}/{reached}")


def _agreed(subscriber: Subscriber, cursor: Versioned[Cursor], services: Services) -> Versioned[Cursor]:
    """Asks it whether it wants events, and how many, until it has said so: from then on a refusal is of an event.

    raises: as its handshake
    """
    if cursor.value.shook_hands:
        return cursor
    granted = subscriber.handshake()
    if not subscriber.consents:
        return cursor
    return _moved(subscriber, cursor, services, shook_hands=True, per_minute=granted, failures=0)


def _cursor(subscriber: Subscriber, count: int, services: Services) -> Versioned[Cursor] | None:
    known = services.ledger.documents.read(CURSOR, subscriber.name)
    if known is not None:
        return known
    begun = Cursor(next=max(0, count - FIRST_EVENTS))
    try:
        return services.ledger.documents.write(CURSOR, subscriber.name, begun, over=None)
    except Conflict:
        return None  # another worker has just made it, and delivers


def _is_due(cursor: Cursor, count: int, now: datetime) -> bool:
    if cursor.next >= count:
        return False
    return all(at is None or datetime.fromisoformat(at) <= now for at in (cursor.until, cursor.not_before))


def _back_off(
    subscriber: Subscriber, cursor: Versioned[Cursor], first: Entry, problem: Exception, services: Services
) -> Iterator[Fact]:
    """Exponential backoff; an event that is refused for too long is dead-lettered, and once a person is told of it the
    cursor moves past it. A handshake that is refused for too long is told in the same way, and costs no event."""
    failures = cursor.value.failures + 1
    seconds: float = min(LONGEST, SHORTEST * 2 ** (failures - 1))
    if isinstance(problem, Refused) and failures >= MOST_REFUSALS:
        took_some = cursor.value.shook_hands
        after, about = (first.number + 1, first.value["id"]) if took_some else (first.number, subscriber.name)
        dead = _dead_letter(subscriber, about, str(problem)[:1000])
        if services.ledger.outbox.is_noted(dead):
            _moved(subscriber, cursor, services, next=after, failures=0, not_before=None, until=None)
            return
        yield dead
        seconds = SHORTEST
    if isinstance(problem, Busy):
        seconds = max(seconds, _wished(problem))
    _moved(subscriber, cursor, services, failures=failures, not_before=_in(seconds, services), until=None)


def _gone(subscriber: Subscriber) -> StepDeadLettered:
    """Another dead letter than that of a handshake which it refused before."""
    return _dead_letter(subscriber, f"{subscriber.name}/gone", "it wants to hear no more")


def _dead_letter(subscriber: Subscriber, about: str, reason: str) -> StepDeadLettered:
    return StepDeadLettered(queue=f"subscriber {subscriber.name}", about=about, reason=reason)


def _wished(problem: Busy) -> float:
    """Seconds until the subscriber takes events again, by what it says."""
    return min(LONGEST_WISH, problem.seconds)


def _in(seconds: float, services: Services) -> str:
    return (services.now() + timedelta(seconds=seconds)).isoformat()


def _moved(
    subscriber: Subscriber, cursor: Versioned[Cursor], services: Services, **changed: Any
) -> Versioned[Cursor]:
    moved = replace(cursor.value, **changed)
    return services.ledger.documents.write(CURSOR, subscriber.name, moved, over=cursor)
