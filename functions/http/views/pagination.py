"""Lists in pages: newest first (nextLink), then followed from where one left off (deltaLink); each page of bounded cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from pydantic import BaseModel, Field, PrivateAttr

from functions.http.problems import Problem, rules_broken
from functions.http.views.delta_token import pack, unpack
from functions.http.views.learned_from import Versions, versions_with
from functions.http.views.listed import Item, RecordList, Source, audit_list, event_list
from shared.domain.names import digest
from shared.kinds import STATES
from shared.ledger import Cursor, Ledger, Listed
from shared.ledger.event_log import CLOCKS_DIFFER
from shared.services import Services

MOST = 200
SCANNED = 500
"""Entries scanned for one page, however few of them fit: a page's cost is bounded, and a filtered page may hold
fewer than `maxpagesize`, even none, and still have a nextLink."""
CHUNK = 100

Json = dict[str, Any]


class PageQuery(BaseModel):
    """Which page of a list is wanted."""

    maxpagesize: int = Field(default=50, ge=1, le=MOST, description="How many at most.")
    after: int | None = Field(default=None, ge=0, le=10**12, description="From the last page's nextLink.")
    deltatoken: str | None = Field(
        default=None, max_length=16_000, description="From a nextLink or deltaLink: where one left off."
    )

    @property
    def filter(self) -> str:
        """What of the list is wanted, as text."""
        return self.model_dump_json(exclude=set(PageQuery.model_fields), exclude_none=True)

    @property
    def filtered(self) -> bool:
        return self.filter != "{}"

    def fits(self, item: Item) -> bool:
        """Whether the item is wanted."""
        return True

    def left(self, item: Item) -> bool:
        """Whether the item, which does not fit, may have fitted before its newest change."""
        return False

    def ends(self, item: Item) -> bool:
        """Whether nothing older than the item is wanted."""
        return False


class ListQuery(PageQuery):
    """What of a list is wanted."""

    state: str | None = Field(default=None, max_length=40, description="Only those in this state.")
    dataset: str | None = Field(default=None, max_length=100, description="Only those of this dataset.")
    since: datetime | None = Field(default=None, description="Only those that began at this time or later.")
    updated_since: datetime | None = Field(
        default=None, alias="updatedSince", description="Only those that changed at this time or later."
    )

    def fits(self, item: Item) -> bool:
        return self.state in (None, item.state) and self._fits_otherwise(item)

    def left(self, item: Item) -> bool:
        """Of what is filtered by, only the state is ever left."""
        return self.state in item.was and self._fits_otherwise(item)

    def ends(self, item: Item) -> bool:
        """The list is in the order in which things were recorded, which is that of their beginnings but for minutes."""
        return self.since is not None and _moment(item.began) + CLOCKS_DIFFER < _aware(self.since)

    def _fits_otherwise(self, item: Item) -> bool:
        return (
            self.dataset in (None, item.dataset)
            and (self.since is None or _moment(item.began) >= _aware(self.since))
            and (self.updated_since is None or _moment(item.changed) >= _aware(self.updated_since))
        )


class BatchQuery(ListQuery):
    """What of the list of batches is wanted."""

    model: str | None = Field(
        default=None, max_length=100, description="Only those that this model version scores: name:version."
    )

    def _fits_otherwise(self, item: Item) -> bool:
        return self.model in (None, item.model) and super()._fits_otherwise(item)


class LearnedQuery(ListQuery):
    """What of the dataset versions, or of the models trained on them, is wanted."""

    upload: str | None = Field(
        default=None, max_length=2048, description="Only those that have the rows of this upload: its id."
    )
    _versions: Versions | None = PrivateAttr(default=None)

    def look_up(self, ledger: Ledger) -> LearnedQuery:
        """Which versions have the upload's rows; to be done before the list is read."""
        if self.upload is not None:
            none = Versions(dataset="", first=1, last=None)
            self._versions = versions_with(self.upload, ledger) or none
        return self

    def ends(self, item: Item) -> bool:
        """Versions, and their models, are made one after another."""
        there = self._versions
        older = there is not None and item.dataset == there.dataset and (item.version or 0) < there.first
        return older or super().ends(item)

    def _fits_otherwise(self, item: Item) -> bool:
        there = self._versions
        has = there is None or (item.dataset == there.dataset and item.version in there)
        return has and super()._fits_otherwise(item)


def page(kind: str, query: ListQuery, request: Request, services: Services) -> Json:
    """One page of a kind's list; raises: Problem for a state the kind does not have, or a token that is none."""
    if query.state is not None and query.state not in STATES[kind]:
        known = ", ".join(STATES[kind])
        fault = {"location": "query.state", "rule": f"one of: {known}"}
        raise Problem(400, f"A {kind} is never in that state.", errors=[fault])
    return _page(RecordList(kind, services.ledger), query, request)


def events(query: ListQuery, request: Request, services: Services) -> Json:
    """One page of the events; raises: Problem for a token that is none."""
    return _page(event_list(services.ledger, services.event_source), query, request)


def audit(query: PageQuery, request: Request, services: Services) -> Json:
    """One page of the audit trail; raises: Problem for a token that is none."""
    return _page(audit_list(services.ledger), query, request)


def _page(source: Source, query: PageQuery, request: Request) -> Json:
    of = digest(f"{source.name}/{query.filter}")[:8]
    cursor = _cursor(query.deltatoken, of) if query.deltatoken is not None else None
    if cursor is None or query.after is not None:
        return _walked(source, query, cursor, of, request)
    return _followed(source, query, cursor, of, request)


def _cursor(token: str, of: str) -> Cursor:
    """raises: Problem"""
    try:
        return unpack(token, of)
    except ValueError:
        raise _no_token() from None


def _no_token() -> Problem:
    rule = "as it stands in a nextLink or deltaLink of this list, which is followed with the filter it was made with"
    return rules_broken({"location": "query.deltatoken", "rule": rule})


# --- newest first -----------------------------------------------------------------------------------------


def _walked(source: Source, query: PageQuery, cursor: Cursor | None, of: str, request: Request) -> Json:
    """A page of the list as it is. Where the log stood before the first is carried from link to link, to the last."""
    position = source.position() if query.after is None else None
    value: list[Json] = []
    seen: list[Listed] = []
    last, ended = 0, False
    for item in _scan(source, query):
        if position is not None:
            cursor, position = source.walk(position, item.number), None
        last = item.number
        if query.fits(item):
            value.append(item.body())
            seen += [item.listed] if item.listed else []
        elif query.ends(item):
            ended = True
            break
        if len(value) == query.maxpagesize:
            break
    if position is not None:
        cursor = source.walk(position, None)
    if cursor is not None:
        cursor = cursor.with_page(seen)
    if last > 0 and not ended:
        return {"value": value, "nextLink": _link(request, cursor, of, after=last)}
    # Who gave a number of their own to begin at has not walked the list: there is nowhere they left off.
    return {"value": value} | ({"deltaLink": _link(request, cursor, of)} if cursor else {})


def _scan(source: Source, query: PageQuery) -> Iterator[Item]:
    """The items to scan, at most `SCANNED` of them; without a filter just one page."""
    before, left = query.after, SCANNED if query.filtered else query.maxpagesize
    while left > 0:
        chunk = source.before(before, limit=min(CHUNK, left))
        yield from chunk
        if not chunk:
            return
        before, left = chunk[-1].number, left - len(chunk)


# --- what changed since -----------------------------------------------------------------------------------


def _followed(source: Source, query: PageQuery, cursor: Cursor, of: str, request: Request) -> Json:
    """A page of what changed since, the oldest change first, each thing as it is now."""
    unread, cursor = source.unread(cursor)
    if unread < 0:
        raise _no_token()
    end, left = cursor.next + unread, min(unread, SCANNED)
    value: list[Json] = []
    removed: list[str] = []
    while left > 0 and len(value) + len(removed) < query.maxpagesize:
        steps = source.following(cursor, limit=min(CHUNK, left))
        if not steps:
            break
        for step in steps:
            cursor, left = step.cursor, left - 1
            if step.item is not None and query.fits(step.item):
                value.append(step.item.body())
            elif step.item is not None and step.item.listed is not None and query.left(step.item):
                removed.append(step.item.listed.record.id)
            if len(value) + len(removed) == query.maxpagesize:
                break
    answer: Json = {"value": value} | ({"removed": removed} if removed else {})
    return {**answer, "deltaLink" if cursor.next >= end else "nextLink": _link(request, cursor, of)}


def _link(request: Request, cursor: Cursor | None, of: str, **more: int) -> str:
    token = {"deltatoken": pack(cursor, of)} if cursor else {}
    return str(request.url.remove_query_params("after").include_query_params(**more, **token))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _aware(moment: datetime) -> datetime:
    """A time without a zone is taken for UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
