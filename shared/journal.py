"""Numbered lists that only grow, newest first, each entry in it once; with sums kept along.

Entries lie in groups, a row each, and the rows of a thousand entries in a partition of their own: a page of the list
is a few point reads, and neither a page, nor an entry by its id, nor a sum costs more when the list is long.

An append is one conditional write of the list's head, which then holds the entry itself:

    head (count 7, last: g) ──g is written out──▶ head (count 8, last: h) ──h is written out──▶ ...

Whoever moves the head on first makes sure that the entry in it is written out, to its group and to its place under
its id. So a crash at any point loses no entry, and whoever comes again with the same id finds the entry it made: in
the head, or at its place.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

from shared.domain.names import digest
from shared.errors import Conflict
from shared.ports import Row, Table

GROUP = 25
"""Entries a row: their values together stay far below the MiB a row may have."""
BUCKET = 1000
"""Entries a partition."""
NOW = "now"
"""The partition of everything that stands for the present: a bounded number of rows, read at once."""
TRIES = 40
LONGEST_PAUSE_SECONDS = 0.25
REMEMBERED = 20_000
WEIGHT = 20
"""An average over the newest so many, roughly: older ones fade."""

Value = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Head:
    """A list's length and what is summed along it."""

    count: int = 0
    tally: Mapping[str, int]
    """How many now, by whatever name the entries gave."""
    averages: Mapping[str, float]

    @classmethod
    def of(cls, value: Value | None) -> Head:
        value = value or {}
        averages = {name: mean for name, (_, mean) in value.get("averages", {}).items()}
        return cls(count=value.get("count", 0), tally=value.get("tally", {}), averages=averages)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What stands at a number of the list."""

    number: int
    value: Value


class Journal:
    """One such list."""

    def __init__(self, table: Table, name: str, *, heads: Table) -> None:
        """heads: where the list's head is kept"""
        self._table, self._name, self._heads = table, name, heads
        self._lock = Lock()
        """Threads of one process wait for each other instead of losing conditional writes to each other."""
        self._written_out = -1
        self._places: dict[str, int] = {}

    # --- growing ------------------------------------------------------------------------------------------

    def append(
        self,
        id_: str,
        value: Value | Callable[[Value | None], Value],
        *,
        tally: Mapping[str, int] | None = None,
        averages: Mapping[str, float] | None = None,
    ) -> int:
        """Puts the entry at the list's end, once for each id; returns its number.

        value: or what makes it from the entry before it
        tally: what to add to which sum; averages: what to take into which average
        raises: Conflict when others always were quicker
        """
        with self._lock:
            for attempt in range(TRIES):
                head = self._heads.get(NOW, self._head_row)
                number = self._number_of(id_, head)
                if number is not None:
                    return number
                after = _after(head.value if head else None, id_, value, tally or {}, averages or {})
                try:
                    self._move(head, after)
                except Conflict:
                    _pause(attempt)
                    continue
                self._write_out(after)
                return int(after["count"]) - 1
        raise Conflict(f"the end of the list {self._name} moved {TRIES} times under our hands")

    @property
    def _head_row(self) -> str:
        return f"list-{self._name}"

    def _number_of(self, id_: str, head: Row | None) -> int | None:
        """The entry's number when it is in the list already; whatever the head holds is written out then."""
        if head is None:
            return None
        count: int = head.value["count"]
        if self._written_out != count:
            self._write_out(head.value)
        return count - 1 if head.value["last"]["id"] == id_ else self.number_of(id_)

    def _move(self, head: Row | None, after: Value) -> None:
        if head is None:
            self._heads.insert(NOW, self._head_row, after)
        else:
            self._heads.replace(head, after)

    def _write_out(self, head: Value) -> None:
        """First the entry, then its place: a place never leads to nothing."""
        number, last = head["count"] - 1, head["last"]
        self._put(number, last["value"], expected=None)
        with suppress(Conflict):
            self._table.insert(*self.place_key(last["id"]), {"at": number})
        self._remember(last["id"], number)
        self._written_out = head["count"]

    # --- changing -----------------------------------------------------------------------------------------

    def change(self, entry: Entry, value: Value) -> Entry:
        """Gives the entry another value; raises: Conflict when its value is no longer the one that was read."""
        with self._lock:
            self._put(entry.number, value, expected=entry.value)
        return Entry(number=entry.number, value=value)

    def _put(self, number: int, value: Value, *, expected: Value | None) -> None:
        """Writes one entry of a group, among others who write theirs.

        expected: its value until now; None: it is to be written out, unless it is there already
        """
        key, place = self.group_key(number), str(number % GROUP)
        for attempt in range(TRIES):
            row = self._table.get(*key)
            there = row.value.get(place) if row else None
            if there is not None and expected is None:
                return
            if there != expected:
                raise Conflict(f"entry {number} of the list {self._name} was changed by somebody else")
            try:
                if row is None:
                    self._table.insert(*key, {place: value})
                else:
                    self._table.replace(row, {**row.value, place: value})
            except Conflict:
                _pause(attempt)
                continue
            return
        raise Conflict(f"the group of entry {number} of {self._name} changed {TRIES} times under our hands")

    # --- reading ------------------------------------------------------------------------------------------

    def head(self) -> Head:
        row = self._heads.get(NOW, self._head_row)
        return Head.of(row.value if row else None)

    def number_of(self, id_: str) -> int | None:
        """Where the entry of that id stands. It never moves, so it is remembered."""
        if id_ in self._places:
            return self._places[id_]
        place = self._table.get(*self.place_key(id_))
        if place is None:
            return None
        self._remember(id_, place.value["at"])
        return int(place.value["at"])

    def get(self, id_: str) -> Entry | None:
        """The entry of that id, as it is now."""
        number = self.number_of(id_)
        return None if number is None else self.at([number]).get(number)

    def at(self, numbers: list[int]) -> dict[int, Entry]:
        """The entries at these numbers, those there are; each group is read once."""
        found: dict[int, Entry] = {}
        for key in dict.fromkeys(self.group_key(number) for number in numbers):
            row = self._table.get(*key)
            for number in numbers:
                if row and self.group_key(number) == key and (value := row.value.get(str(number % GROUP))):
                    found[number] = Entry(number=number, value=value)
        return found

    def newest(self, limit: int, *, before: int | None = None, count: int | None = None) -> list[Entry]:
        """The entries with the highest numbers below `before`, the newest first.

        count: the list's length when the caller has just read it
        """
        if before is None:
            before = self.head().count if count is None else count
        numbers = list(range(max(before - limit, 0), before))
        return [entry for _, entry in sorted(self.at(numbers).items(), reverse=True)]

    def group_key(self, number: int) -> tuple[str, str]:
        """Partition and row of the group an entry lies in."""
        return f"{self._name}-{number // BUCKET:07d}", f"{number // GROUP:09d}"

    def place_key(self, id_: str) -> tuple[str, str]:
        """Partition and row of what says where the entry of an id stands."""
        key = digest(id_)
        return f"{self._name}-at-{key[:2]}", key

    def _remember(self, id_: str, number: int) -> None:
        if len(self._places) >= REMEMBERED:
            self._places.clear()
        self._places[id_] = number


def _after(
    head: Value | None,
    id_: str,
    value: Value | Callable[[Value | None], Value],
    tally: Mapping[str, int],
    averages: Mapping[str, float],
) -> Value:
    head = head or {"count": 0, "last": None, "tally": {}, "averages": {}}
    if callable(value):
        value = value(head["last"]["value"] if head["last"] else None)
    sums = {name: head["tally"].get(name, 0) + tally.get(name, 0) for name in {**head["tally"], **tally}}
    means = dict(head["averages"])
    for name, measured in averages.items():
        count, mean = means.get(name, (0, 0.0))
        count = min(count + 1, WEIGHT)
        means[name] = [count, round(mean + (measured - mean) / count, 3)]
    return {
        "count": head["count"] + 1,
        "last": {"id": id_, "value": value},
        "tally": {name: total for name, total in sums.items() if total},
        "averages": means,
    }


def _pause(attempt: int) -> None:
    """Lets whoever was quicker finish; longer each time, and never two callers equally long."""
    time.sleep(random.uniform(0, min(LONGEST_PAUSE_SECONDS, 0.002 * 2**attempt)))  # noqa: S311  (no secret)
