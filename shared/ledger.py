"""The ledger: which facts were done, what they led to, and what became of everything. Events are hints; this is the truth.

A fact's entry goes through three states, each one conditional write on the table:

    (none) ──claim──▶ claimed ──settle──▶ settled ──mark_sent──▶ sent
                       │  ▲                  │
                       │  └─ claim lapsed ───┘ a crash before `mark_sent`: the next delivery, or the sweep, publishes
                       └──release──▶ (free again: the step failed)

`settle` carries the claim's ETag: a worker whose claim lapsed and was taken over cannot overwrite the outcome.
Beside its entry an unfinished fact has a row in the `open` partition; the sweep reads only those.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.facts import Fact
from shared.domain.names import digest
from shared.domain.records import Change, rank
from shared.errors import Conflict, InProgress
from shared.ports import Row, Table

OPEN = "open"
CAS_TRIES = 20
"""Losing a compare-and-swap this often in a row is no contention any more: something is broken."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A fact's place in the ledger, as this worker holds it."""

    fact: Fact
    row: Row

    @property
    def outcome(self) -> tuple[Fact, ...] | None:
        packed = self.row.value.get("outcome")
        return None if packed is None else unpack(packed)

    @property
    def sent(self) -> bool:
        return bool(self.row.value["state"] == "sent")


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of one upload, dataset version, run, model or batch."""

    kind: str
    id: str
    state: str
    seq: int
    """Grows by one with each change."""
    created: str
    updated: str
    values: dict[str, Any]


def pack(facts: Iterable[Fact]) -> str:
    """Facts as text that fits one table property (64 KiB) even for a batch of thousands of shards."""
    return b64encode(zlib.compress("\n".join(f.to_json() for f in facts).encode())).decode()


def unpack(packed: str) -> tuple[Fact, ...]:
    text = zlib.decompress(b64decode(packed)).decode()
    return tuple(Fact.from_json(line) for line in text.splitlines())


class Ledger:
    """Claims, outcomes, records and small documents, over a table."""

    def __init__(self, table: Table, *, now: Callable[[], datetime], claim_seconds: int) -> None:
        self._table = table
        self._now = now
        self._lease = timedelta(seconds=claim_seconds)

    # --- once-only ----------------------------------------------------------------------------------------

    def claim(self, fact: Fact) -> Entry:
        """Takes the fact for this worker, or returns what it already led to.

        raises: InProgress while another worker's claim is fresh.
        """
        partition, row = _place(fact)
        claimed = {"state": "claimed", "fact": fact.to_json(), "key": fact.key, "attempt": 1}
        try:
            entry = Entry(fact=fact, row=self._table.insert(partition, row, claimed))
        except Conflict:
            entry = self._take_over(fact, partition, row)
        if entry.row.value["state"] == "claimed":
            self._open(entry)
        return entry

    def _take_over(self, fact: Fact, partition: str, row: str) -> Entry:
        old = self._table.get(partition, row)
        if old is None:
            raise InProgress
        if old.value["state"] in ("settled", "sent"):
            return Entry(fact=fact, row=old)
        if old.value["state"] == "claimed" and self._now() - old.changed < self._lease:
            raise InProgress
        return self._reclaim(fact, old)

    def _reclaim(self, fact: Fact, old: Row) -> Entry:
        claimed = {**old.value, "state": "claimed", "attempt": old.value["attempt"] + 1}
        try:
            return Entry(fact=fact, row=self._table.replace(old, claimed))
        except Conflict as cause:
            raise InProgress from cause

    def settle(self, entry: Entry, outcome: Iterable[Fact]) -> Entry:
        """Records what the fact led to; raises: Conflict when the claim lapsed and another worker took it."""
        settled = {**entry.row.value, "state": "settled", "outcome": pack(outcome)}
        return Entry(fact=entry.fact, row=self._table.replace(entry.row, settled))

    def mark_sent(self, entry: Entry) -> None:
        """The outcome is published: nothing of this fact is left to do."""
        try:
            self._table.replace(entry.row, {**entry.row.value, "state": "sent"})
        except Conflict:
            return  # another delivery published the same outcome as well, and said so first
        self._close(entry.fact)

    def release(self, entry: Entry, reason: str) -> None:
        """The step failed; the next delivery may try at once."""
        try:
            self._table.replace(entry.row, {**entry.row.value, "state": "free", "last_error": reason[:500]})
        except Conflict:
            return  # our claim had lapsed; its new holder decides

    def give_up(self, fact: Fact) -> None:
        """Takes an unfinished fact off the sweep's list: from now on it is a person's."""
        self._close(fact)

    def seen(self, fact: Fact) -> bool:
        """Whether any delivery of the fact got as far as a claim."""
        return self._table.get(*_place(fact)) is not None

    def unfinished(self, *, older_than: timedelta) -> Iterator[tuple[Fact, int]]:
        """Facts claimed but not sent for so long that no worker can still be at them, and their attempts."""
        for row in self._table.rows(OPEN):
            fact = Fact.from_json(row.value["fact"])
            entry = self._table.get(*_place(fact))
            if entry is None or entry.value["state"] == "sent":
                self._table.delete(row)
            elif self._now() - entry.changed >= older_than:
                yield fact, entry.value["attempt"]

    def _open(self, entry: Entry) -> None:
        try:
            self._table.insert(OPEN, digest(entry.fact.key), {"fact": entry.row.value["fact"]})
        except Conflict:
            return  # an earlier attempt opened it

    def _close(self, fact: Fact) -> None:
        row = self._table.get(OPEN, digest(fact.key))
        if row is not None:
            self._table.delete(row)

    # --- what became of everything ------------------------------------------------------------------------

    def record(self, changes: Iterable[Change]) -> None:
        """Moves records forward; late news (a state that ranks lower) adds its values and leaves the state."""
        for change in changes:
            self._record(change)

    def _record(self, change: Change) -> None:
        partition, row = f"{change.kind}-{digest(change.id)[:2]}", digest(change.id)
        for _ in range(CAS_TRIES):
            old = self._table.get(partition, row)
            new = _advanced(old.value if old else None, change, self._now())
            if old and new == old.value:
                return
            try:
                if old:
                    self._table.replace(old, new)
                else:
                    self._list(change, new["created"])
                    self._table.insert(partition, row, new)
                return
            except Conflict:
                continue
        raise Conflict(f"the record of {change.kind} {change.id} changed {CAS_TRIES} times under our hands")

    def _list(self, change: Change, created: str) -> None:
        """The newest-first index: row keys sort backwards in time.

        Written before the record, so that no record can be missing from it; a crash in between leaves a row that
        `newest` passes over.
        """
        backwards = 10**15 - int(datetime.fromisoformat(created).timestamp() * 1000)
        try:
            self._table.insert(
                f"list-{change.kind}", f"{backwards:015d}-{digest(change.id)}", {"id": change.id}
            )
        except Conflict:
            return

    def find(self, kind: str, id_: str) -> Record | None:
        row = self._table.get(f"{kind}-{digest(id_)[:2]}", digest(id_))
        return None if row is None else Record(kind=kind, id=id_, **row.value)

    def newest(self, kind: str, *, limit: int = 50, after: str = "") -> tuple[list[Record], str | None]:
        """The newest records of a kind, and where the next page starts (None: that was all)."""
        rows = list(self._table.rows(f"list-{kind}", limit=limit + 1, after=after))
        found = [self.find(kind, id_) for id_ in dict.fromkeys(row.value["id"] for row in rows[:limit])]
        more = rows[limit - 1].row if len(rows) > limit else None
        return [record for record in found if record is not None], more

    # --- small documents that several workers change ------------------------------------------------------

    def document(self, name: str, part: str) -> Row | None:
        return self._table.get(f"doc-{name}", part)

    def documents(self, name: str) -> list[Row]:
        return list(self._table.rows(f"doc-{name}"))

    def put(self, name: str, part: str, value: dict[str, Any], *, over: Row | None) -> Row:
        """Writes a document over exactly the version that was read (None: there was none); raises: Conflict."""
        if over is None:
            return self._table.insert(f"doc-{name}", part, value)
        return self._table.replace(over, value)

    def remove(self, document: Row) -> None:
        self._table.delete(document)


def _place(fact: Fact) -> tuple[str, str]:
    key = digest(fact.key)
    return f"fact-{key[:2]}", key


def _advanced(old: dict[str, Any] | None, change: Change, now: datetime) -> dict[str, Any]:
    """The record after the change; equal to `old` when the change says nothing new."""
    stamp = now.isoformat(timespec="milliseconds")
    if old is None:
        if change.state is None:
            raise ValueError(f"{change.kind} {change.id} is not known yet, so it cannot only gain values")
        start = {"state": change.state, "seq": 1, "created": stamp, "updated": stamp}
        return {**start, "values": {"history": [[change.state, stamp]], **change.values}}
    values, state = {**old["values"], **change.values}, old["state"]
    if change.state is not None and rank(change.kind, change.state) > rank(change.kind, state):
        state = change.state
        values["history"] = [*old["values"].get("history", []), [state, stamp]]
    elif change.state is not None and rank(change.kind, change.state) < rank(change.kind, state):
        values = {**change.values, **old["values"]}
    if state == old["state"] and values == old["values"]:
        return old
    return {**old, "state": state, "seq": old["seq"] + 1, "updated": stamp, "values": values}
