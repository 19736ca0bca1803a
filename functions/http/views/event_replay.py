"""What a replay of events would deliver: how many, which, and to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from functions.http.problems import Problem
from functions.http.views.records import Json
from shared.procedures.event_replay import stretches
from shared.procedures.subscriber_cursor import cursors
from shared.services import Services

MOST_NAMED = 1000
"""Ids that are listed; all are counted."""
NOTHING_BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
"""No event is older; from the year 1 nothing can be taken away to allow for clocks that differ."""
MOST_READ = 20_000
"""Events of the log that are read for an answer."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A span of the history, and who is to be told of it."""

    first: int
    end: int
    since: str
    until: str
    type: str
    subscribers: list[str]


def asked(since: datetime, until: datetime | None, type_: str, subscriber: str, services: Services) -> Asked:
    """The span, found in the log, and those that get it. raises: Problem"""
    begins, ends = max(_aware(since), NOTHING_BEFORE), min(_aware(until or services.now()), services.now())
    if begins >= ends:
        raise Problem(
            400, "The span is empty: `startsAt` has to be before `endsAt`, and before now.", code="SpanEmpty"
        )
    span = services.ledger.events.span(begins, ends)
    return Asked(
        first=span.start, end=span.stop, since=begins.isoformat(), until=ends.isoformat(), type=type_,
        subscribers=_subscribers(subscriber, services),
    )  # fmt: skip


def _aware(moment: datetime) -> datetime:
    """A time without a zone is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _subscribers(wanted: str, services: Services) -> list[str]:
    """By their cursors: who is told of events is known to the app that tells them."""
    known = [name for name, cursor in cursors(services.ledger).items() if not cursor.gone]
    if wanted and wanted not in known:
        there = ", ".join(known) or "none"
        raise Problem(404, f"There is no such subscriber; there are: {there}.", code="SubscriberNotFound")
    return [wanted] if wanted else known


def plan_of(span: Asked, services: Services) -> Json:
    """raises: Problem where the span is too long to be counted for an answer"""
    if span.end - span.first > MOST_READ:
        rule = f"The span has more than {MOST_READ} events; it can be replayed, and is too long to be listed."
        raise Problem(400, rule, code="SpanTooLong")
    found = [event for read in stretches(span, span.first, services.ledger) for event in read.events]
    return {
        "count": len(found),
        "ids": [event.value["id"] for event in found[:MOST_NAMED]],
        "subscribers": span.subscribers,
        "startsAt": span.since,
        "endsAt": span.until,
    }
