"""Lists in pages (nextLink): newest first, filtered, of bounded size; the next page does not move as things come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from pydantic import BaseModel, Field

from functions.http.problems import Problem
from functions.http.views.records import shown
from shared.kinds import STATES
from shared.ledger import cloud_event
from shared.services import Services

MOST = 200
SCANNED = 500
"""Entries scanned for one page, however few of them fit: a page's cost is bounded, and a filtered page may hold
fewer than `maxpagesize`, even none, and still have a nextLink."""
CHUNK = 100

Json = dict[str, Any]


class ListQuery(BaseModel):
    """What of a list is wanted."""

    state: str | None = Field(default=None, max_length=40, description="Only those in this state.")
    dataset: str | None = Field(default=None, max_length=100, description="Only those of this dataset.")
    since: datetime | None = Field(default=None, description="Only those that began at this time or later.")
    updated_since: datetime | None = Field(
        default=None, alias="updatedSince", description="Only those that changed at this time or later."
    )
    maxpagesize: int = Field(default=50, ge=1, le=MOST, description="How many at most.")
    after: int | None = Field(default=None, ge=0, le=10**12, description="From the last page's nextLink.")

    def fits(self, item: Json) -> bool:
        """Whether the item (a record or an event as shown) is wanted."""
        of = item.get("data", item)
        began = item.get("createdAt") or item["time"]
        changed = item.get("lastModifiedAt") or item["time"]
        return (
            (self.state is None or of.get("state") == self.state)
            and (self.dataset is None or of.get("dataset") == self.dataset)
            and (self.since is None or _moment(began) >= _aware(self.since))
            and (self.updated_since is None or _moment(changed) >= _aware(self.updated_since))
        )

    @property
    def filtered(self) -> bool:
        return bool(self.state or self.dataset or self.since or self.updated_since)


def page(kind: str, query: ListQuery, request: Request, services: Services) -> Json:
    """One page of a kind's list; raises: Problem for a state the kind does not have."""
    if query.state is not None and query.state not in STATES[kind]:
        known = ", ".join(STATES[kind])
        fault = {"location": "query.state", "rule": f"one of: {known}"}
        raise Problem(400, f"A {kind} is never in that state.", errors=[fault])

    def read(limit: int, before: int | None) -> list[tuple[int, Json]]:
        found = services.ledger.records.newest(kind, limit=limit, before=before)
        return [(number, shown(record)) for number, record in found]

    return _page(read, query, request)


def events(query: ListQuery, request: Request, services: Services) -> Json:
    """One page of the events."""

    def read(limit: int, before: int | None) -> list[tuple[int, Json]]:
        found = services.ledger.events.newest(limit=limit, before=before)
        return [(entry.number, cloud_event(entry, source=services.event_source)) for entry in found]

    return _page(read, query, request)


Read = Callable[[int, int | None], list[tuple[int, Json]]]


def _page(read: Read, query: ListQuery, request: Request) -> Json:
    value: list[Json] = []
    last = 0
    for number, item in _scan(read, query):
        last = number
        if query.fits(item):
            value.append(item)
        elif query.since is not None and _moment(item.get("createdAt") or item["time"]) < _aware(query.since):
            last = 0  # the list is in the order of beginnings: nothing older is wanted
            break
        if len(value) == query.maxpagesize:
            break
    answer: Json = {"value": value}
    if last > 0:
        answer["nextLink"] = str(request.url.include_query_params(after=last))
    return answer


def _scan(read: Read, query: ListQuery) -> Iterator[tuple[int, Json]]:
    """The entries to scan, at most `SCANNED` of them; without a filter just one page."""
    before, left = query.after, SCANNED if query.filtered else query.maxpagesize
    while left > 0:
        chunk = read(min(CHUNK, left), before)
        yield from chunk
        if not chunk:
            return
        before, left = chunk[-1][0], left - len(chunk)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _aware(moment: datetime) -> datetime:
    """A time without a zone is taken for UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
