"""An append-only log: a hot tail of one row per entry, and behind it segments of 25 entries a row.

Entries are numbered without gaps. Appending is one transaction: the next number's row comes, and the row that says
where the end is moves on, as it was read; the loser of that race takes the number after. (The insert alone would not
do: a worker with an old end in memory may take a number whose row has left the tail since.) The newest
entries are one range read of a small partition; the older ones lie in segments, found by their number alone, so
neither a page nor an entry costs more when the log is long:

    cold table                                  hot table, newest first
    [0 .. 24] [25 .. 49] [50 .. 74]             149 148 147 ... 76 75
                              ▲                                     │
                              └──── compact: a whole segment ───────┘

It is a log-structured merge tree of two levels, without its sorting: numbers never change. An entry may be given
another value (a record does), hot or cold, under the ETag of the row it lies in.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from shared.errors import Conflict, Transient
from shared.ports import Insert, Remove, Replace, Row, Table, Write

SEGMENT = 25
"""Entries a segment row: their values together stay far below the MiB a row may have."""
BUCKET = 1000
"""Entries a cold partition."""
HOT = 50
"""Entries at least that stay a row each: what a page shows, and what mostly still changes."""
LAST = 10**10 - 1
"""The highest number a log can hold."""
CAS_TRIES = 40
"""Losing a compare-and-swap this often in a row is no contention any more: something is broken."""

LONGEST_BACK_OFF_SECONDS = 0.25

Value = dict[str, Any]
Fold = Callable[[Sequence["Entry"]], Iterable[Write]]
"""What is written together with the entries' leaving the hot tail, the oldest first."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What stands at a number of the log, and the row it lies in: its own while it is hot, else its segment's."""

    number: int
    value: Value
    row: Row


@dataclass(frozen=True)
class _End:
    """The row that says where the end is; None while the log is empty."""

    row: Row | None

    @property
    def next(self) -> int:
        return int(self.row.value["next"]) if self.row else 0


class AppendLog:
    """One such log, in a partition of the hot table (`within`), its rows' keys beginning with its name."""

    def __init__(self, name: str, *, hot: Table, cold: Table, within: str, tail: int = HOT) -> None:
        """tail: entries at least that stay hot"""
        self.name, self.within, self._tail = name, within, tail
        self._hot, self._cold = hot, cold
        self._end: _End | None = None
        """The end, as this process knows it."""
        self._cold_below = 0
        """Entries below this number were seen cold; what is cold stays cold."""

    # --- growing ------------------------------------------------------------------------------------------

    def append_at(self, number: int, value: Value) -> Entry | None:
        """Puts the value at the log's end, which must be this number; None when another worker did so first."""
        end = self._end or self._end_now()
        appended = self._appending(end, [value])
        try:
            if end.next != number:
                raise Conflict
            etags = self._hot.commit(self.within, appended)
        except Conflict:
            self.lost_the_race()
            return None
        self.grown(appended, etags)
        return Entry(number=number, value=value, row=as_written(appended[0], etags[0], self.within))

    def next_number(self) -> int:
        """The number an entry appended now would get, as far as this process knows."""
        return (self._end or self._end_now()).next

    def inserts(self, values: Sequence[Value]) -> list[Insert | Replace]:
        """Writes that append the values, for a transaction of the caller's on `within`; after it: `grown`, or, when it
        was refused, `lost_the_race`."""
        return self._appending(self._end or self._end_now(), values) if values else []

    def _appending(self, end: _End, values: Sequence[Value]) -> list[Insert | Replace]:
        moved = {"next": end.next + len(values)}
        return [
            *(Insert(row=self.key(end.next + n), value=value) for n, value in enumerate(values)),
            Replace(old=end.row, value=moved) if end.row else Insert(row=self.end_key, value=moved),
        ]

    def grown(
        self, appended: Sequence[Insert | Replace], etags: Sequence[str], fold: Fold = lambda entries: ()
    ) -> None:
        """These writes of `inserts` were done, and left these ETags, and maybe more after them. Every segment's worth of
        entries, the oldest hot ones move on."""
        if not appended:
            return
        end = _End(as_written(appended[-1], etags[len(appended) - 1], self.within))
        self._end, before, after = end, end.next - (len(appended) - 1), end.next
        if before // SEGMENT != after // SEGMENT and after > self._tail + SEGMENT:
            with suppress(Conflict, Transient):  # the next one compacts what this one could not
                self.compact(fold)

    def lost_the_race(self) -> None:
        """Another worker appended: the end has to be found anew."""
        self._end = None

    def _end_now(self) -> _End:
        self._end = end = _End(self._hot.get(self.within, self.end_key))
        return end

    # --- compaction ---------------------------------------------------------------------------------------

    def compact(self, fold: Fold = lambda entries: ()) -> None:
        """Moves whole segments out of the hot tail, the oldest first, until it is short again.

        First the segment is written, then its entries leave the tail, all in one transaction and only as they were
        read: between the two they are in both places, and the hot one counts. raises: Conflict when one changed
        meanwhile, or when another worker was quicker; nothing is lost then.
        """
        while True:
            hot = self._entries(limit=None)
            if len(hot) < self._tail + SEGMENT:
                return
            oldest = self._segment_written(hot[: -SEGMENT - 1 : -1])
            removals: list[Write] = [Remove(old=entry.row) for entry in oldest]
            self._hot.commit(self.within, [*removals, *fold(oldest)])
            self._cold_below = max(self._cold_below, oldest[-1].number + 1)

    def _segment_written(self, entries: list[Entry]) -> list[Entry]:
        """The entries as they lie in their segment now; raises: Conflict when another worker is quicker."""
        place = self.segment_key(entries[0].number)
        try:
            self._cold.insert(*place, _values(entries))
        except Conflict:
            # A worker died, or is at work, between the two writes. The segment is overwritten only as it stands, with
            # what is read after it, and only while all entries are hot: once they are not, it alone is the truth.
            there = self._cold.get(*place)
            entries = sorted(self._span({entry.number for entry in entries}), key=lambda entry: entry.number)
            if there is None or len(entries) < SEGMENT:
                raise
            self._cold.replace(there, _values(entries))
        return entries

    # --- changing -----------------------------------------------------------------------------------------

    def change(self, entry: Entry, value: Value) -> Entry:
        """Gives the entry another value; raises: Conflict when its row is no longer the one that was read."""
        if entry.row.partition == self.within:
            row = self._hot.replace(entry.row, value)
        else:
            row = self._cold.replace(entry.row, {**entry.row.value, str(entry.number % SEGMENT): value})
        return Entry(number=entry.number, value=value, row=row)

    # --- reading ------------------------------------------------------------------------------------------

    def count(self) -> int:
        """How many entries there are."""
        return self._end_now().next

    def end(self) -> tuple[int, datetime | None]:
        """How many entries there are, and when, by storage's clock, the newest came; None when there are none."""
        end = self._end_now()
        return end.next, end.row.changed if end.row else None

    def get(self, number: int) -> Entry | None:
        """The entry at this number, as it is now."""
        if number >= self._cold_below:
            row = self._hot.get(self.within, self.key(number))
            if row is not None:
                return Entry(number=number, value=row.value, row=row)
        return self._from_segment(number, self._segment(number))

    def at(self, numbers: Iterable[int]) -> dict[int, Entry]:
        """The entries at these numbers, those there are; each segment, and the hot tail, is read once."""
        wanted = set(numbers)
        warm = {number for number in wanted if number >= self._cold_below}
        found = {entry.number: entry for entry in self._span(warm) if entry.number in warm}
        segments: dict[int, Row | None] = {}
        for number in sorted(wanted - found.keys()):
            first = number - number % SEGMENT
            if first not in segments:
                segments[first] = self._segment(number)
            entry = self._from_segment(number, segments[first])
            if entry is not None:
                found[number] = entry
        return found

    def newest(self, limit: int, *, before: int | None = None) -> list[Entry]:
        """The entries with the highest numbers below `before`, the newest first."""
        if before is not None:
            found = self.at(range(max(before - limit, 0), before))
            return [entry for _, entry in sorted(found.items(), reverse=True)]
        hot = self._entries(limit=limit)
        last = hot[-1].number if hot else 0
        return hot + (self.newest(limit - len(hot), before=last) if len(hot) < limit and last else [])

    def following(self, number: int, limit: int) -> list[Entry]:
        """The entries from this number on, the oldest first, as far as there is no gap."""
        wanted = range(number, number + limit)
        found = self.at(wanted)
        return [found[n] for n in takewhile(found.__contains__, wanted)]

    @property
    def end_key(self) -> str:
        """The row key of what says where the end is: {"next": the number of the entry that comes next}."""
        return f"{self.name}~end"

    def key(self, number: int) -> str:
        """The row key of a hot entry: the newest sorts first."""
        return f"{self.name}-{LAST - number:010d}"

    def segment_key(self, number: int) -> tuple[str, str]:
        """Partition and row of the segment an entry moves to."""
        return f"{self.name}-{number // BUCKET:07d}", f"{number // SEGMENT:09d}"

    def hot_entry(self, row: Row) -> Entry | None:
        """The entry in a row of `within`; None when the row is none of this log's."""
        name, _, key = row.row.rpartition("-")
        return Entry(number=LAST - int(key), value=row.value, row=row) if name == self.name else None

    def _entries(self, *, limit: int | None, after: str = "", before: str = "") -> list[Entry]:
        rows = self._hot.rows(
            self.within, limit=limit, after=after or f"{self.name}-", before=before or f"{self.name}."
        )
        return [entry for row in rows if (entry := self.hot_entry(row))]

    def _span(self, numbers: set[int]) -> list[Entry]:
        """The hot entries from the lowest to the highest of these numbers."""
        if not numbers:
            return []
        if len(numbers) == 1:
            (number,) = numbers
            row = self._hot.get(self.within, self.key(number))
            return [Entry(number=number, value=row.value, row=row)] if row else []
        after, before = self.key(max(numbers) + 1), self.key(min(numbers)) + "~"
        return self._entries(limit=None, after=after, before=before)

    def _segment(self, number: int) -> Row | None:
        return self._cold.get(*self.segment_key(number))

    def _from_segment(self, number: int, segment: Row | None) -> Entry | None:
        value = segment.value.get(str(number % SEGMENT)) if segment else None
        if segment is None or value is None:
            return None
        self._cold_below = max(self._cold_below, number - number % SEGMENT + SEGMENT)
        return Entry(number=number, value=value, row=segment)


def back_off(attempt: int) -> None:
    """Exponential backoff with full jitter, so that losers of one race do not meet again in the next.

    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/"""
    time.sleep(random.uniform(0, min(LONGEST_BACK_OFF_SECONDS, 0.002 * 2**attempt)))  # noqa: S311  (no secret)


def as_written(write: Insert | Replace, etag: str, partition: str) -> Row:
    """The row as a transaction of this process left it; `changed` is by this machine's clock."""
    row = write.row if isinstance(write, Insert) else write.old.row
    return Row(partition=partition, row=row, value=write.value, etag=etag, changed=datetime.now(UTC))


def _values(entries: list[Entry]) -> Value:
    return {str(entry.number % SEGMENT): entry.value for entry in entries}
