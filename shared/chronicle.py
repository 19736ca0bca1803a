"""What became of everything: a record for each upload, run, model ..., lists of them, and the events they made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from shared import history
from shared.domain.kinds.kind import Change
from shared.domain.names import dataset_id, digest
from shared.errors import Conflict
from shared.journal import Entry, Head, Journal
from shared.kinds import INDEXES, STATES
from shared.ports import Table

MOST_SCORED = 10
"""Batches that are named with the model version that scored them; the list of batches has them all."""
CAS_TRIES = 20
"""Losing a compare-and-swap this often in a row is no contention any more: something is broken."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of one upload, dataset version, run, model or batch."""

    kind: str
    id: str
    state: str
    seq: int
    """Grows by one with each change."""
    round: int
    created: str
    updated: str
    values: dict[str, Any]


class Chronicle:
    """Records, their lists and their events, over a table.

    A record lives in its kind's list, so a page of the list is a few reads, and never older than the records.
    """

    def __init__(self, table: Table, present: Table, *, now: Callable[[], datetime]) -> None:
        """present: where the heads of the lists are kept"""
        self._table, self._now = table, now
        self._lists = {kind: Journal(table, kind, heads=present) for kind in STATES}
        self.events = Journal(table, "event", heads=present)

    # --- recording ----------------------------------------------------------------------------------------

    def record(self, changes: Iterable[Change]) -> bool:
        """Moves records forward, and tells each move once; returns whether anything was new.

        Late news (a state that ranks lower) adds its values and leaves the state. Values alone, of what is not known,
        are passed over: whoever tells them need not ask first.
        """
        news = False
        for change in changes:
            news |= self._point(change) if change.kind in INDEXES else self._record(change)
        return news

    def _record(self, change: Change) -> bool:
        kept = self._lists[change.kind]
        for _ in range(CAS_TRIES):
            old = kept.get(change.id)
            if old is None and change.state is None:
                return False
            new = history.advanced(old.value if old else None, change, self._now())
            if old is None:
                kept.append(
                    change.id, new
                )  # whoever was quicker, the record is there now, with its first move untold
                continue
            if new == old.value and not old.value["untold"]:
                return False
            try:
                entry = old if new == old.value else kept.change(old, new)
            except Conflict:
                continue
            self._tell(change.kind, entry)
            return True
        raise Conflict(f"the record of {change.kind} {change.id} changed {CAS_TRIES} times under our hands")

    def _tell(self, kind: str, entry: Entry) -> None:
        """Puts what is untold into the list of events, then notes that it is told; a crash in between tells again,
        which the list does not take twice."""
        id_ = entry.value["id"]
        for move in entry.value["untold"]:
            self.events.append(
                history.event_id(kind, id_, move),
                history.event(kind, id_, move),
                tally=history.tally(move),
                averages=history.stay(kind, move),
            )
            if (kind, move["state"]) == ("batch", "scoring"):
                self._note_scored(_model_of(entry.value["values"]), entry.number)
        if not entry.value["untold"]:
            return
        try:
            self._lists[kind].change(entry, {**entry.value, "untold": []})
        except Conflict:
            return  # it moved on; whoever moved it found these still untold, and tells them too

    def _point(self, change: Change) -> bool:
        """A name, or a hash, leads to the newest of what it was given to."""
        ((kind, id_),) = change.values.items()

        def led(known: dict[str, Any] | None) -> dict[str, Any] | None:
            return None if known and self._is_older(kind, id_, known) else {kind: id_}

        return self._amend(_pointer(change.kind, change.id), led)

    def _note_scored(self, model: str, number: int) -> None:
        """The batch of that number is scored by this model version."""

        def noted(known: dict[str, Any] | None) -> dict[str, Any] | None:
            before: list[int] = known["batches"] if known else []
            after = sorted({*before, number})[-MOST_SCORED:]
            return None if after == before else {"batches": after}

        self._amend(_scored_by(model), noted)

    def _amend(
        self, place: tuple[str, str], change: Callable[[dict[str, Any] | None], dict[str, Any] | None]
    ) -> bool:
        """Gives the row there the value that `change` makes of the one it has, until nobody is quicker; None: it stays.

        returns: whether it was written
        """
        for _ in range(CAS_TRIES):
            old = self._table.get(*place)
            new = change(old.value if old else None)
            if new is None:
                return False
            try:
                if old is None:
                    self._table.insert(*place, new)
                else:
                    self._table.replace(old, new)
            except Conflict:
                continue
            return True
        raise Conflict(f"the row {place} changed {CAS_TRIES} times under our hands")

    def _is_older(self, kind: str, id_: str, known: dict[str, Any]) -> bool:
        """Whether what is known already came no earlier: a fact told again leads nobody back."""
        ((known_kind, known_id),) = known.items()
        if (known_kind, known_id) == (kind, id_):
            return True
        there, here = self._lists[known_kind].number_of(known_id), self._lists[kind].number_of(id_)
        return there is not None and (here is None or here < there)

    # --- looking ------------------------------------------------------------------------------------------

    def find(self, kind: str, id_: str) -> Record | None:
        entry = self._lists[kind].get(id_)
        return None if entry is None else _record(kind, entry)

    def led_to(self, index: str, name: str) -> dict[str, str]:
        """What a file's name or a hash leads to: {"upload": its id} or {"batch": its id}; empty when nothing."""
        row = self._table.get(*_pointer(index, name))
        return row.value if row else {}

    def newest(
        self, kind: str, *, limit: int = 50, before: int | None = None, count: int | None = None
    ) -> list[tuple[int, Record]]:
        """The newest records of a kind, each with its number in the list."""
        entries = self._lists[kind].newest(limit, before=before, count=count)
        return [(entry.number, _record(kind, entry)) for entry in entries]

    def scored_by(self, model: str) -> list[Record]:
        """The newest batches that were scored by this model version, at most `MOST_SCORED`; the newest first."""
        row = self._table.get(*_scored_by(model))
        found = self._lists["batch"].at(row.value["batches"] if row else [])
        return [_record("batch", entry) for _, entry in sorted(found.items(), reverse=True)]

    def newest_events(self, *, limit: int = 50, before: int | None = None) -> list[Entry]:
        return self.events.newest(limit, before=before)

    def events_from(self, number: int, *, limit: int) -> list[Entry]:
        """The events from this number on, the oldest first, as far as there is no gap."""
        found = self.events.at(list(range(number, number + limit)))
        return [found[n] for n in takewhile(found.__contains__, range(number, number + limit))]

    def head(self) -> Head:
        """How many records are in which state, and how long they stay in it."""
        return self.events.head()


def _record(kind: str, entry: Entry) -> Record:
    fields = ("id", "state", "seq", "round", "created", "updated", "values")
    return Record(kind=kind, **{name: entry.value[name] for name in fields})


def _pointer(index: str, name: str) -> tuple[str, str]:
    key = digest(name)
    return f"{index}-{key[:2]}", key


def _scored_by(model: str) -> tuple[str, str]:
    key = digest(model)
    return f"scored-by-{key[:2]}", key


def _model_of(values: dict[str, Any]) -> str:
    return dataset_id(values["dataset"], values["model_version"])
