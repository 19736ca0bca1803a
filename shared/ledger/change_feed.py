"""The change feed: a list followed from where one left off (delta query, change data capture), each change once.

A change is a move of a record to another state, and the log of events numbers them all. So whoever has read the log up
to a number reads on from there. Of what it reads, an event stands for its record only if it tells of the record's
newest move: what has moved on since is left to the later event, and comes with that. Nothing is repeated, since a
move has one event; nothing is missed, since the newest move of each record has one too. The record is moved before its
event is logged, so it is never seen older than the event that stands for it.

Before that one walks the list, in pages that show each record as it is when its page is read. The log's position is
taken before the first of them, so that nothing is missed. Some events behind it tell of moves that the pages showed
already; which, a cursor knows from two things:

- `settled`: a time before the walk began. A record whose row has not been written since was on its page as it is.
- `seen`: of the records on the pages that were written after that time, which move they were shown with.

All times are storage's, of the rows themselves: no other clock counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from shared.ledger.event_log import EventLog, Move
from shared.ledger.records import Listed, Records

MARGIN = timedelta(seconds=10)
"""Partitions may be kept by several servers of one storage account, whose clocks differ by less than this."""
LOGGED_BY = timedelta(minutes=10)
"""A record's move is logged within this time, also when its worker dies. Of one that was not (its step was given up,
and a person had it tried again), the walk's record may come once more, with the same `seq`."""
MOST_SEEN = 2000
"""Records that moved around the walk, at most; of more, the oldest may come once more. A cursor has to fit a URL."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """How far a reader has come, in the log and in the walk before it."""

    next: int
    """The number of the event that is read next."""
    settled: datetime = BEGINNING
    seen: Mapping[int, int] = field(default_factory=dict)
    """The `seq` of the newest move that was shown, by the record's number."""
    seen_at: datetime = BEGINNING
    """When the newest of those was written."""

    def with_page(self, shown: Iterable[Listed]) -> Cursor:
        """After a page of the walk that showed these."""
        fresh = [listed for listed in shown if listed.written >= self.settled]
        seen = [*self.seen.items(), *((listed.number, listed.moved) for listed in fresh)][-MOST_SEEN:]
        written = [self.seen_at, *(listed.written for listed in fresh)]
        return replace(self, seen=dict(seen), seen_at=max(written))

    def past(self, move: Move, *, of_kind: bool) -> Cursor:
        """After this event. What was seen of its record is told by now."""
        seen = self.seen
        if of_kind and seen.get(move.record, move.seq + 1) <= move.seq:
            seen = {number: seq for number, seq in seen.items() if number != move.record}
        return replace(self, next=move.event + 1, seen=seen)

    def was_shown(self, listed: Listed) -> bool:
        """Whether the walk's pages showed the record with its newest move."""
        return listed.written < self.settled or self.seen.get(listed.number) == listed.moved


@dataclass(frozen=True, kw_only=True)
class Step:
    """One event on the way: the cursor after it, and the record that it stands for, if it stands for one."""

    cursor: Cursor
    listed: Listed | None


class ChangeFeed:
    """The changes of the records of one kind at a time."""

    def __init__(self, events: EventLog, records: Records) -> None:
        self._events, self._records = events, records

    def position(self) -> Cursor:
        """Where the log stands now. To be taken before the first page of a walk is read."""
        count, newest = self._events.end()
        return Cursor(next=count, settled=newest - MARGIN if newest else BEGINNING)

    def unread(self, cursor: Cursor) -> tuple[int, Cursor]:
        """How many events there are from the cursor on, and the cursor, less what it need not carry any more.

        Below 0 for a cursor of another log, or of one that was lost.
        """
        count, newest = self._events.end()
        if cursor.seen and cursor.next == count and newest and newest - cursor.seen_at > LOGGED_BY:
            cursor = replace(cursor, seen={})
        return count - cursor.next, cursor

    def read(self, kind: str, cursor: Cursor, *, limit: int) -> list[Step]:
        """The next so many events, the oldest first. Reads their rows, and those of the records they stand for: each
        segment, and the hot tail, once."""
        moves = self._events.moves_from(cursor.next, limit=limit)
        found = self._records.at(kind, {move.record for move in moves if move.kind == kind})
        steps = []
        for move in moves:
            of_kind = move.kind == kind
            listed = found.get(move.record) if of_kind else None
            if listed is not None and (listed.moved != move.seq or cursor.was_shown(listed)):
                listed = None
            cursor = cursor.past(move, of_kind=of_kind)
            steps.append(Step(cursor=cursor, listed=listed))
        return steps
