"""Tell those who subscribed what has happened: every event, in order, as often as it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from shared.domain.facts import Fact, StepGivenUp, TellingDue
from shared.errors import Conflict, Gone, Refused, Transient
from shared.journal import Entry
from shared.ports import Row, Subscriber
from shared.services import Services

TOLD = "told"
"""One document per subscriber: the number of the next event, and how the last tries went."""
AT_ONCE = 25
FIRST_HEARS = 100
"""A new subscriber is told the newest so many: none that happened around its coming is missed."""
LEASE = timedelta(seconds=120)
"""How long one worker tells a subscriber before another may; longer than telling takes."""
SHORTEST, LONGEST = 30, 3600
"""Seconds between tries when a subscriber does not take an event: twice as long each time."""
MOST_REFUSALS = 12
"""An event refused so often (some hours of it) is passed over, so that later ones are told."""


def tell_subscribers(fact: TellingDue, services: Services) -> Iterable[Fact]:
    """Each subscriber has a mark of its own in the list of events, moved on only after it took them: a crash in between
    tells some again, and their ids say so."""
    count = services.ledger.chronicle.head().count
    for subscriber in services.subscribers:
        yield from _told(subscriber, count, fact, services)


def _told(subscriber: Subscriber, count: int, fact: TellingDue, services: Services) -> Iterator[Fact]:
    row = _mark(subscriber, count, services)
    if row is None or not _is_due(row.value, count, services.now()):
        return
    try:
        row = _amended(row, services, until=(services.now() + LEASE).isoformat())
    except Conflict:
        return  # another worker is at it
    events = services.ledger.chronicle.events_from(row.value["next"], limit=AT_ONCE)
    if not events:
        return
    try:
        if not row.value["greeted"]:
            subscriber.greet()
        taken = subscriber.tell([_event(entry) for entry in events])
    except Gone:
        _amended(row, services, gone=True, until=None)
        yield StepGivenUp(
            queue=f"subscriber {subscriber.name}", about=subscriber.name, reason="it wants to hear no more"
        )
        return
    except (Transient, Refused) as problem:
        yield from _put_off(subscriber, row, events[0], problem, services)
        return
    reached = row.value["next"] + taken
    _amended(row, services, next=reached, greeted=True, failures=0, not_before=None, until=None)
    if reached < count:
        yield TellingDue(tick=f"{fact.tick}/{reached}")


def _mark(subscriber: Subscriber, count: int, services: Services) -> Row | None:
    row = services.ledger.document(TOLD, subscriber.name)
    if row is not None:
        return row
    begun = {"next": max(0, count - FIRST_HEARS), "greeted": False, "failures": 0, "not_before": None}
    try:
        return services.ledger.put(TOLD, subscriber.name, {**begun, "gone": False, "until": None}, over=None)
    except Conflict:
        return None  # another worker has just made it, and tells


def _is_due(mark: dict[str, Any], count: int, now: datetime) -> bool:
    if mark["gone"] or mark["next"] >= count:
        return False
    return all(
        mark[name] is None or datetime.fromisoformat(mark[name]) <= now for name in ("until", "not_before")
    )


def _put_off(
    subscriber: Subscriber, row: Row, first: Entry, problem: Exception, services: Services
) -> Iterator[Fact]:
    """It is tried again later, and later each time; an event that is refused for too long is passed over."""
    failures = row.value["failures"] + 1
    if isinstance(problem, Refused) and failures >= MOST_REFUSALS:
        _amended(row, services, next=first.number + 1, failures=0, not_before=None, until=None)
        about = first.value["id"]
        yield StepGivenUp(queue=f"subscriber {subscriber.name}", about=about, reason=str(problem)[:1000])
        return
    seconds = min(LONGEST, SHORTEST * 2 ** (failures - 1))
    later = (services.now() + timedelta(seconds=seconds)).isoformat()
    _amended(row, services, failures=failures, not_before=later, until=None)


def _amended(row: Row, services: Services, **changed: Any) -> Row:
    return services.ledger.amend(row, {**row.value, **changed})


def _event(entry: Entry) -> dict[str, Any]:
    return {**entry.value, "sequence": entry.number}
