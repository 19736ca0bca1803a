"""The ledger: which facts were done, what they led to, and what became of everything. Events are hints; this is the truth.

A fact's entry goes through three states, each one conditional write on the table:

    (none) ──claim──▶ claimed ──settle──▶ settled ──mark_sent──▶ sent
                       │  ▲                  │
                       │  └─ claim lapsed ───┘ a crash before `mark_sent`: the next delivery, or the sweep, publishes
                       └──release──▶ (free again: the step failed)

What led to nothing has nothing to publish: it is settled as sent.

`settle` carries the claim's ETag: a worker whose claim lapsed and was taken over cannot overwrite the outcome.
Beside its entry an unfinished fact has a row in the `open` partition; the sweep reads only those. The row is there
before the fact's message is (`expect`), since the queue hides a message for ten minutes from everybody once a worker
has it, dead or not. It goes in one transaction with the count of facts done, so every fact is counted once.
"""

from __future__ import annotations

import threading
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.chronicle import CAS_TRIES, Chronicle, Record
from shared.domain.facts import Fact
from shared.domain.kinds.kind import Change
from shared.domain.names import digest
from shared.errors import Conflict, InProgress
from shared.journal import NOW, Head, Journal
from shared.keeping import Kept, keeping
from shared.kinds import STATES
from shared.marks import Marks
from shared.ports import Delete, Insert, Replace, Row, Table, Write

__all__ = ["Entry", "Ledger", "Present", "Record", "pack", "unpack"]

OPEN = "open"
COUNTS = "~counts"
"""The row beside the open facts that says how many of each kind are done; it sorts behind them."""
REMEMBERED = 10_000
"""Facts known to have been claimed, before all are forgotten and looked up again."""
MOST_WRITES = 100
"""What a table takes in one transaction."""
STANDING = ("head", "slot", "released", "work", "told", "looks")
"""Documents of which there are only a few, kept where one read finds them all."""
SHOWN = ("head", "slot", "released", "work")
"""Those of them that somebody who looks can see."""


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
class Present:
    """The standing documents, and how long the lists are."""

    documents: Mapping[str, dict[str, Any]]
    heads: Mapping[str, Head]

    def document(self, name: str, part: str) -> dict[str, Any] | None:
        return self.documents.get(f"{name}-{part}")


def pack(facts: Iterable[Fact]) -> str:
    """Facts as text that fits one table property (64 KiB) even for a batch of thousands of shards."""
    return b64encode(zlib.compress("\n".join(f.to_json() for f in facts).encode())).decode()


def unpack(packed: str) -> tuple[Fact, ...]:
    text = zlib.decompress(b64decode(packed)).decode()
    return tuple(Fact.from_json(line) for line in text.splitlines())


class Ledger:
    """Claims, outcomes, records and small documents, over a table."""

    def __init__(
        self, table: Table, *, now: Callable[[], datetime], claim_seconds: int, present: Table | None = None
    ) -> None:
        """present: a table for the little that stands for the present, beside all that is past. Azure finds a
        partition whatever else is in the table; the embedded storage looks through the whole table for it."""
        self._table = table
        self._present = present or table
        self._now = now
        self._lease = timedelta(seconds=claim_seconds)
        self._seen: set[tuple[str, str]] = set()
        self._counting = threading.Lock()
        """The workers of this process count one after another, rather than one against another."""
        self.chronicle = Chronicle(table, self._present, now=now)
        self.audit = Journal(table, "audit", heads=self._present)
        """What operators did, each entry chained to the one before: see `shared.domain.audit`."""
        self.marks = Marks(self._present)

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

    def keeping(self, kept: Kept) -> AbstractContextManager[None]:
        """While the body of the `with` runs, the claim does not lapse."""
        every = self._lease.total_seconds() / 3
        return keeping(kept, lambda row: self._table.replace(row, row.value), every_seconds=every)

    def settle(self, entry: Entry, outcome: Iterable[Fact]) -> Entry:
        """Records what the fact led to; raises: Conflict when the claim lapsed and another worker took it."""
        outcome = tuple(outcome)
        state = "settled" if outcome else "sent"
        settled = {**entry.row.value, "state": state, "outcome": pack(outcome)}
        return Entry(fact=entry.fact, row=self._table.replace(entry.row, settled))

    def mark_sent(self, entry: Entry) -> None:
        """The outcome is published: nothing of this fact is left to do."""
        if not entry.sent:
            try:
                self._table.replace(entry.row, {**entry.row.value, "state": "sent"})
            except Conflict:
                return  # another delivery published the same outcome as well, and said so first
        self._close(entry.fact, done=True)

    def release(self, entry: Entry, reason: str) -> None:
        """The step failed; the next delivery may try at once."""
        try:
            self._table.replace(entry.row, {**entry.row.value, "state": "free", "last_error": reason[:500]})
        except Conflict:
            return  # our claim had lapsed; its new holder decides

    def give_up(self, fact: Fact) -> int:
        """Takes an unfinished fact off the sweep's list: from now on it is a person's.

        returns: how often somebody has had it tried again since it was given up first
        """
        self._close(fact, done=False)
        entry = self._table.get(*_place(fact))
        return int(entry.value.get("retries", 0)) if entry else 0

    def reopen(self, key: str, *, failure: str) -> Fact | None:
        """Puts a fact that was given up back on the list, with all its attempts before it.

        failure: the record of it, which is resolved once the fact is done
        returns: None when there is no such fact, or it was done meanwhile
        """
        row = self._table.get(*_place_of(key))
        if row is None or row.value["state"] in ("settled", "sent"):
            return None
        fact = Fact.from_json(row.value["fact"])
        if row.value.get("failure") != failure:
            again = {
                "state": "free",
                "attempt": 0,
                "retries": row.value.get("retries", 0) + 1,
                "failure": failure,
            }
            self._table.replace(row, {**row.value, **again})
        self.expect((fact,), again=False)
        return fact

    def outcome(self, key: str) -> tuple[Fact, ...] | None:
        """What the fact of that key led to; None while it has not been done."""
        row = self._table.get(*_place_of(key))
        packed = row.value.get("outcome") if row else None
        return None if packed is None else unpack(packed)

    def seen(self, fact: Fact) -> bool:
        """Whether any delivery of the fact got as far as a claim. Once it has it always has, so it is remembered."""
        place = _place(fact)
        if place in self._seen:
            return True
        if self._table.get(*place) is None:
            return False
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()
        self._seen.add(place)
        return True

    def expect(self, facts: Iterable[Fact], *, again: bool) -> None:
        """These are about to be published: should nobody claim them in time, the sweep tells them again.

        again: they may have been published before, so those that were claimed since are passed over
        """
        rows = [
            (digest(fact.key), {"fact": fact.to_json()})
            for fact in {fact.key: fact for fact in facts}.values()
            if not (again and self.seen(fact))
        ]
        self.marks.note(facts=len(rows))
        for start in range(0, len(rows), MOST_WRITES):
            some = rows[start : start + MOST_WRITES]
            try:
                self._present.commit(OPEN, [Insert(row=row, value=value) for row, value in some])
            except Conflict:  # told before, and due again from now
                for row, value in some:
                    self._present.put(OPEN, row, value)

    def unfinished(self, *, older_than: timedelta, kind: type[Fact] = Fact) -> Iterator[tuple[Fact, int]]:
        """Facts published or claimed, but not sent, for so long that no worker can still be at them; their attempts."""
        for row in self._present.rows(OPEN):
            if row.row == COUNTS or self._now() - row.changed < older_than:
                continue
            fact = Fact.from_json(row.value["fact"])
            if not isinstance(fact, kind):
                continue
            entry = self._table.get(*_place(fact))
            if entry is None:
                due = row.changed + timedelta(seconds=fact.delay_seconds)
                if self._now() - due >= older_than:
                    yield fact, 0
            elif entry.value["state"] == "sent":
                self._close(fact, done=True)
            elif self._now() - entry.changed >= older_than:
                yield fact, entry.value["attempt"]

    def done(self) -> tuple[dict[str, int], list[str]]:
        """How many facts of each kind are done, and the kinds of those open now, one for each fact."""
        counts: dict[str, int] = {}
        open_now = []
        for row in self._present.rows(OPEN):
            if row.row == COUNTS:
                counts = row.value
            else:
                open_now.append(type(Fact.from_json(row.value["fact"])).__name__)
        return counts, open_now

    def _open(self, entry: Entry) -> None:
        self.marks.note(facts=1)
        try:
            self._present.insert(OPEN, digest(entry.fact.key), {"fact": entry.row.value["fact"]})
        except Conflict:
            return  # an earlier attempt opened it

    def _close(self, fact: Fact, *, done: bool) -> None:
        """Takes the fact's row away and, when it is done, counts it: both or neither.

        When others always are quicker, the row is left for the sweep, which comes here again.
        """
        self.marks.note(facts=1)
        row = digest(fact.key)
        with self._counting:
            for _ in range(CAS_TRIES):
                try:
                    self._present.commit(OPEN, [Delete(row=row), *(self._counted(fact) if done else ())])
                except Conflict:
                    if self._present.get(OPEN, row) is None:
                        return
                    continue
                return

    def _counted(self, fact: Fact) -> list[Write]:
        counts, kind = self._present.get(OPEN, COUNTS), type(fact).__name__
        if counts is None:
            return [Insert(row=COUNTS, value={kind: 1})]
        return [Replace(old=counts, value={**counts.value, kind: counts.value.get(kind, 0) + 1})]

    # --- what became of everything ------------------------------------------------------------------------

    def record(self, changes: Iterable[Change]) -> None:
        """Moves records forward; late news (a state that ranks lower) adds its values and leaves the state."""
        self.marks.note(things=self.chronicle.record(changes))

    def find(self, kind: str, id_: str) -> Record | None:
        return self.chronicle.find(kind, id_)

    def newest(self, kind: str, *, limit: int = 50) -> list[Record]:
        """The newest records of a kind."""
        return [record for _, record in self.chronicle.newest(kind, limit=limit)]

    # --- small documents that several workers change ------------------------------------------------------

    def document(self, name: str, part: str) -> Row | None:
        table, partition, row = self._document(name, part)
        return table.get(partition, row)

    def documents(self, name: str) -> list[Row]:
        if name not in STANDING:
            return list(self._table.rows(f"doc-{name}"))
        return [row for row in self._present.rows(NOW) if row.row.startswith(f"{name}-")]

    def present(self) -> Present:
        """All that stands for the present, in one read."""
        rows = {row.row: row.value for row in self._present.rows(NOW)}
        heads = {kind: Head.of(rows.get(f"list-{kind}")) for kind in (*STATES, "event")}
        return Present(documents=rows, heads=heads)

    def put(self, name: str, part: str, value: dict[str, Any], *, over: Row | None) -> Row:
        """Writes a document over exactly the version that was read (None: there was none); raises: Conflict."""
        table, partition, row = self._document(name, part)
        self.marks.note(things=name in SHOWN)
        return table.insert(partition, row, value) if over is None else table.replace(over, value)

    def amend(self, document: Row, value: dict[str, Any]) -> Row:
        """Writes over exactly this document, wherever it is kept; raises: Conflict."""
        standing = document.partition == NOW
        self.marks.note(things=standing and document.row.split("-")[0] in SHOWN)
        return (self._present if standing else self._table).replace(document, value)

    def remove(self, document: Row) -> None:
        """Takes a document away that is none of the standing ones."""
        self._table.delete(document)

    def _document(self, name: str, part: str) -> tuple[Table, str, str]:
        return (
            (self._present, NOW, f"{name}-{part}") if name in STANDING else (self._table, f"doc-{name}", part)
        )


def _place(fact: Fact) -> tuple[str, str]:
    return _place_of(fact.key)


def _place_of(key: str) -> tuple[str, str]:
    digested = digest(key)
    return f"fact-{digested[:2]}", digested
