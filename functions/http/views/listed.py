"""What the lists of the API are made of: records of a kind, events, audit entries; read in pages, and followed from there.

A list is walked from the newest back, then followed from where the log stood before the walk: see
`shared.ledger.change_feed`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from functions.http.views.records import shown
from shared.domain.names import dataset_id
from shared.ledger import Cursor, Entry, Ledger, Listed, Record, cloud_event

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing of a list, with what filters look at; what does not apply is None."""

    number: int
    """Its place in the list: the newest has the highest."""
    body: Callable[[], Json]
    """It as JSON."""
    began: str = ""
    changed: str = ""
    state: str | None = None
    dataset: str | None = None
    model: str | None = None
    """The model version that scores it, as name:version."""
    version: int | None = None
    """Of the dataset, or of the model, which has the number of the dataset version it was trained on."""
    was: frozenset[str] = frozenset()
    """The states it was in before."""
    listed: Listed | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One entry of the log that is followed: the cursor after it, and the item that it shows, if it shows one."""

    cursor: Cursor
    item: Item | None


class Source(Protocol):
    """One list."""

    name: str

    def position(self) -> Cursor:
        """Where what is followed stands now. To be taken before the first page of a walk is read."""

    def walk(self, position: Cursor, newest: int | None) -> Cursor:
        """The walk begins. newest: the number of its first item; None when there is none"""

    def before(self, number: int | None, *, limit: int) -> list[Item]:
        """The newest items first, of those whose numbers are below."""

    def unread(self, cursor: Cursor) -> tuple[int, Cursor]:
        """How much there is from the cursor on (below 0: the cursor is none of this list's), and the cursor, less what it
        need not carry any more."""

    def following(self, cursor: Cursor, *, limit: int) -> list[Step]:
        """The next so many entries of what is followed, the oldest first."""


class RecordList:
    """The records of a kind, followed along the log of events."""

    def __init__(self, kind: str, ledger: Ledger) -> None:
        self.name, self._ledger = kind, ledger

    def position(self) -> Cursor:
        return self._ledger.changes.position()

    def walk(self, position: Cursor, newest: int | None) -> Cursor:
        return position

    def before(self, number: int | None, *, limit: int) -> list[Item]:
        return [_record(one) for one in self._ledger.records.newest(self.name, limit=limit, before=number)]

    def unread(self, cursor: Cursor) -> tuple[int, Cursor]:
        return self._ledger.changes.unread(cursor)

    def following(self, cursor: Cursor, *, limit: int) -> list[Step]:
        return [
            Step(cursor=step.cursor, item=_record(step.listed) if step.listed else None)
            for step in self._ledger.changes.read(self.name, cursor, limit=limit)
        ]


class LogList:
    """The entries of a log that never change: what is followed is the log itself."""

    def __init__(self, name: str, log: Log, item: Callable[[Entry], Item]) -> None:
        self.name, self._log, self._item = name, log, item

    def position(self) -> Cursor:
        return Cursor(next=0)

    def walk(self, position: Cursor, newest: int | None) -> Cursor:
        return position if newest is None else replace(position, next=newest + 1)

    def before(self, number: int | None, *, limit: int) -> list[Item]:
        return [self._item(entry) for entry in self._log.newest(limit=limit, before=number)]

    def unread(self, cursor: Cursor) -> tuple[int, Cursor]:
        return self._log.count() - cursor.next, cursor

    def following(self, cursor: Cursor, *, limit: int) -> list[Step]:
        return [
            Step(cursor=replace(cursor, next=entry.number + 1), item=self._item(entry))
            for entry in self._log.following(cursor.next, limit=limit)
        ]


class Log(Protocol):
    """What a `LogList` is of."""

    def newest(self, *, limit: int, before: int | None) -> list[Entry]: ...

    def following(self, number: int, *, limit: int) -> list[Entry]: ...

    def count(self) -> int: ...


def event_list(ledger: Ledger, source: str) -> LogList:
    """source: what the events are said to come from"""
    return LogList("event", ledger.events, partial(_event, source=source))


def audit_list(ledger: Ledger) -> LogList:
    return LogList("audit", ledger.audit, _audited)


def _record(listed: Listed) -> Item:
    record = listed.record
    return Item(
        number=listed.number,
        body=lambda: shown(record),
        began=record.created,
        changed=record.updated,
        state=record.state,
        dataset=record.values.get("dataset"),
        model=_model(record),
        version=record.values.get("version"),
        was=frozenset(state for state, _ in record.values["history"]) - {record.state},
        listed=listed,
    )


def _model(record: Record) -> str | None:
    dataset, version = record.values.get("dataset"), record.values.get("model_version")
    return dataset_id(dataset, version) if dataset and version else None


def _event(entry: Entry, *, source: str) -> Item:
    time, data = entry.value["time"], entry.value["data"]
    return Item(
        number=entry.number,
        body=lambda: cloud_event(entry, source=source),
        began=time,
        changed=time,
        state=data.get("state"),
        dataset=data.get("dataset"),
    )


def _audited(entry: Entry) -> Item:
    return Item(number=entry.number, body=lambda: {"sequence": entry.number, **entry.value})
