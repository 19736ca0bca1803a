"""Records: what became of each upload, run, model ...: a projection of the facts, one row a record under its ETag.

A record lies at its number in its kind's append-only log, so a page of the newest is one range read, and another row
leads from its id to that number. It moves only forward (see `shared.ledger.history`). Which fact made a move is noted
in the record, so applying a fact's changes once more finds the same moves and writes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from shared.domain.kinds.kind import Change
from shared.domain.names import digest
from shared.domain.trace import Trace
from shared.errors import Conflict
from shared.ledger import history
from shared.ledger.append_log import CAS_TRIES, AppendLog, Entry, back_off
from shared.ledger.pointers import SEVERAL, Pointers
from shared.ports import Row, Table

REMEMBERED = 5_000
BEING_MADE = timedelta(seconds=30)
"""So long after a place was taken its record may still be on the way."""

Value = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of one thing of a kind."""

    kind: str
    id: str
    state: str
    seq: int
    """Grows by one with each change."""
    round: int
    created: str
    updated: str
    values: dict[str, Any]
    trace: Trace | None = None
    """Where it was begun; None for one of a version that knew no traces."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A record as it stands in its kind's list."""

    number: int
    record: Record
    moved: int
    """The `seq` of its newest move: of what changed since, only values did."""
    written: datetime
    """When the row it lies in was last written, by storage's clock: not changed since, that is certain."""


class Records:
    """The records of all kinds. Written by the flow alone, once a fact is done; read by steps and the API."""

    def __init__(
        self,
        *,
        present: Table,
        past: Table,
        kinds: Iterable[str],
        now: Callable[[], datetime],
        noted: Callable[[], None],
    ) -> None:
        """noted: called when something was written"""
        self._past, self._now, self._noted = past, now, noted
        self._logs = {kind: AppendLog(kind, hot=present, cold=past, within=kind) for kind in kinds}
        self._pointers = Pointers(past, number_of=self.number_of)
        self._known: OrderedDict[tuple[str, str], Entry] = OrderedDict()
        """Records as this process wrote or read them last: the fence is tried with them before they are read anew."""
        self._lock = Lock()

    # --- writing ------------------------------------------------------------------------------------------

    def apply(
        self,
        changes: Iterable[Change],
        *,
        cause: str,
        trace: Trace | None = None,
        met: Callable[[Trace], None] = lambda trace: None,
    ) -> list[Value]:
        """Moves records forward; the events of the moves that this cause makes, or made when it was applied before.

        Late news (a state that ranks lower) adds its values and leaves the state. Values alone, of what is not known,
        are passed over: the step that returns them need not check first.

        cause: the key of the fact; trace: in which it was found; met: told of the traces that moves belong to as well
        """
        events: list[Value] = []
        tag = digest(cause)
        for change in _merged(changes):
            if change.kind in self._logs:
                events += self._applied(change, tag, trace, met)
            elif self._pointers.point(change):
                self._noted()
        return events

    def _applied(
        self, change: Change, cause: str, trace: Trace | None, met: Callable[[Trace], None]
    ) -> list[Value]:
        known = self._recall(change.kind, change.id)
        for attempt in range(CAS_TRIES):
            entry, is_remembered = known or self._entry(change.kind, change.id), known is not None
            known = None  # what this process remembers is tried once; after that the row is read
            if entry is None and change.state is None:
                return []
            new = history.advanced(
                entry.value if entry else None, change, self._now(), cause=cause, trace=trace
            )
            if is_remembered and entry is not None and new == entry.value:
                continue  # no write, so no fence, would tell that what is remembered is old
            try:
                moved = self._written(change, entry, new)
            except Conflict:
                back_off(attempt)
                continue
            if moved is not entry:
                self._noted()
            events = history.events(change, new, cause=cause, trace=trace)
            for other in history.met(change, new) if events else ():
                met(other)
            return [{**event, "record": {"kind": change.kind, "number": moved.number}} for event in events]
        raise Conflict(f"the record of {change.kind} {change.id} changed {CAS_TRIES} times under our hands")

    def _written(self, change: Change, entry: Entry | None, new: Value) -> Entry:
        """The record with its new value; raises: Conflict when another worker was quicker."""
        if entry is None:
            return self._create(change.kind, change.id, new)
        if new == entry.value:
            return entry
        changed = self._logs[change.kind].change(entry, new)
        self._remember(change.kind, changed)
        return changed

    def _create(self, kind: str, id_: str, value: Value) -> Entry:
        """First the place that leads to the record, then the record: raises: Conflict when another worker is at it.

        A worker that dies in between leaves a place that leads nowhere, or to the record that took the number; after
        `BEING_MADE` it is taken over. Who holds the place's newest ETag may move it to another number; who no longer
        does can only append at the number it led to, where the worker that took over looks, or is the quicker.
        """
        log = self._logs[kind]
        with self._lock:  # workers of this process take numbers one after another
            place = self._place(kind, id_, log.next_number())
            for attempt in range(CAS_TRIES):
                number = log.next_number()
                if place.value["at"] != number:
                    place = self._past.replace(place, {"at": number})
                entry = log.append_at(number, value)
                if entry is not None:
                    self._remember(kind, entry)
                    return entry
                if self._at(kind, id_, number) is not None:
                    raise Conflict
                back_off(attempt)
        raise Conflict(f"the end of the list of {kind} moved {CAS_TRIES} times under our hands")

    def _place(self, kind: str, id_: str, number: int) -> Row:
        key = self.place_key(kind, id_)
        try:
            return self._past.insert(*key, {"at": number})
        except Conflict:
            there = self._past.get(*key)
            if there is None or self._now() - there.changed < BEING_MADE:
                raise
            taken = self._past.replace(there, there.value)
            self._logs[kind].count()  # the end as it is from now on: at the place, or beyond it
            if self._at(kind, id_, there.value["at"]) is not None:
                raise
            return taken

    # --- reading ------------------------------------------------------------------------------------------

    def find(self, kind: str, id_: str) -> Record | None:
        """The record as it is now."""
        entry = self._entry(kind, id_)
        return None if entry is None else _record(kind, entry)

    def newest(self, kind: str, *, limit: int = 50, before: int | None = None) -> list[Listed]:
        """The newest records of a kind, of those whose numbers in its list are below `before`."""
        return [_listed(kind, entry) for entry in self._logs[kind].newest(limit, before=before)]

    def count(self, kind: str) -> int:
        """How many records of a kind there are; the newest has the number before it."""
        return self._logs[kind].count()

    def at(self, kind: str, numbers: Iterable[int]) -> dict[int, Listed]:
        """The records at these numbers of their kind's list, as they are now."""
        return {number: _listed(kind, entry) for number, entry in self._logs[kind].at(numbers).items()}

    def scored_by(self, model: str) -> list[Record]:
        """The newest batches that were scored by this model version, the newest first."""
        led_to = self.led_to(SEVERAL, model)
        if not led_to:
            return []
        found = self._logs[led_to["kind"]].at(led_to["numbers"])
        return [_record(led_to["kind"], entry) for _, entry in sorted(found.items(), reverse=True)]

    def led_to(self, index: str, name: str) -> dict[str, Any]:
        """What a pointer leads to: {"upload": its id}, say; empty when nothing."""
        return self._pointers.led_to(index, name)

    def number_of(self, kind: str, id_: str) -> int | None:
        """Where the record stands in its kind's list. It never moves, so it is remembered."""
        known = self._recall(kind, id_)
        if known is not None:
            return known.number
        entry = self._entry(kind, id_)
        return entry.number if entry else None

    def place_key(self, kind: str, id_: str) -> tuple[str, str]:
        """Partition and row of what leads from an id to the record's number."""
        key = digest(id_)
        return f"{kind}-at-{key[:2]}", key

    def _entry(self, kind: str, id_: str) -> Entry | None:
        known = self._recall(kind, id_)
        if known is not None:
            number: int = known.number
        else:
            place = self._past.get(*self.place_key(kind, id_))
            if place is None:
                return None
            number = place.value["at"]
        return self._at(kind, id_, number)

    def _at(self, kind: str, id_: str, number: int) -> Entry | None:
        entry = self._logs[kind].get(number)
        if entry is None or entry.value["id"] != id_:
            return None
        self._remember(kind, entry)
        return entry

    def _recall(self, kind: str, id_: str) -> Entry | None:
        return self._known.get((kind, id_))

    def _remember(self, kind: str, entry: Entry) -> None:
        self._known[kind, entry.value["id"]] = entry
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _merged(changes: Iterable[Change]) -> list[Change]:
    """Changes that move one record to one state are one change: one write, one move, one event."""
    merged: dict[tuple[Any, ...], Change] = {}
    for change in changes:
        place = (change.kind, change.id, change.state, change.round, change.order)
        same = merged.get(place)
        merged[place] = replace(same, values={**same.values, **change.values}) if same else change
    return list(merged.values())


def _listed(kind: str, entry: Entry) -> Listed:
    return Listed(
        number=entry.number,
        record=_record(kind, entry),
        moved=entry.value["moves"][-1]["seq"],
        written=entry.row.changed,
    )


def _record(kind: str, entry: Entry) -> Record:
    fields = ("id", "state", "seq", "round", "created", "updated", "values")
    trace = Trace.read(entry.value.get("trace"))
    return Record(kind=kind, trace=trace, **{name: entry.value[name] for name in fields})
