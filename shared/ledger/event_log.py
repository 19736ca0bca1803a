"""The event log: events in the order in which they happened, and sums folded over all of them.

An event is one row of an append-only log. Its writes belong to the transaction that finishes the fact that caused it
(see `outbox`), so an event is in the log exactly when its fact is done. Sums are folded, not written each time: a
snapshot covers what has left the log's hot tail, moving on in the transaction in which those entries leave; a
reader adds the few that are hot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from shared.ledger.append_log import AppendLog, Entry
from shared.ledger.open_causes import Causes
from shared.ports import Insert, Replace, Row, Table, Write

HOT = 25
SUMS = "event~sums"
"""The snapshot's row; it sorts behind the log's."""
CAUSES = "event~causes"
"""The same of the causes of alerts, in a row of its own: a version of the app that knows none leaves it as it is."""
WEIGHT = 20
"""An average over the newest so many, roughly: older ones fade."""
CLOCKS_DIFFER = timedelta(minutes=10)
"""An event's time is its worker's, a claim's begin another's: how much further back than that the log is searched."""

Value = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sums:
    """What is summed along the log."""

    tally: Mapping[str, int] = field(default_factory=dict)
    """How many records now, by `kind/state/dataset`."""
    weighted: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """By `kind/state`: how many stays were averaged (at most `WEIGHT`), and their mean in seconds."""

    @property
    def averages(self) -> dict[str, float]:
        """How long records stay in a state, in seconds, by `kind/state`."""
        return {name: mean for name, (_, mean) in self.weighted.items()}

    def with_event(self, logged: Value) -> Self:
        """The sums with one event more, as it lies in the log."""
        tally = dict(self.tally)
        for name, more in logged["tally"].items():
            tally[name] = tally.get(name, 0) + more
        weighted = dict(self.weighted)
        for name, seconds in logged["stays"].items():
            count, mean = weighted.get(name, (0, 0.0))
            count = min(count + 1, WEIGHT)
            weighted[name] = [count, round(mean + (seconds - mean) / count, 3)]
        return type(self)(tally={name: total for name, total in tally.items() if total}, weighted=weighted)


@dataclass(frozen=True, kw_only=True)
class Move:
    """One event of the log, as what it is about: a move of a record."""

    event: int
    """The event's number in the log."""
    kind: str
    record: int
    """The record's number in its kind's list."""
    seq: int
    """The record's `seq` with the move."""


class EventLog:
    """The log of events, in the partition that stands for the present."""

    def __init__(self, *, hot: Table, cold: Table, within: str) -> None:
        self._hot, self._within = hot, within
        self._log = AppendLog("event", hot=hot, cold=cold, within=within, tail=HOT)

    def inserts(self, events: Sequence[Value]) -> list[Insert | Replace]:
        """Writes that append the events, for a transaction of the caller's; see `AppendLog.inserts`."""
        return self._log.inserts(events)

    def grown(self, appended: Sequence[Insert | Replace], etags: Sequence[str]) -> None:
        self._log.grown(appended, etags, self._folded)

    def lost_the_race(self) -> None:
        self._log.lost_the_race()

    def missing(self, events: Sequence[Value], *, since: datetime, after: int = 0) -> list[Value]:
        """Those of the events that are not in the log; since: none of them was logged before.

        For facts that are done again after a crash, which is seldom: reads the log back to that time.

        after: the number of entries, the oldest, that hold none of them
        """
        wanted = {event["event"]["id"] for event in events}
        for entry in self._back_to(since - CLOCKS_DIFFER, after):
            wanted.discard(entry.value["event"]["id"])
        return [event for event in events if event["event"]["id"] in wanted]

    def _back_to(self, time: datetime, first: int) -> Iterator[Entry]:
        before: int | None = None
        while page := self._log.newest(100, before=before):
            yield from page
            before = page[-1].number
            # an event that was logged late is older than its neighbours, so one of them says nothing
            if before <= first or all(datetime.fromisoformat(e.value["event"]["time"]) < time for e in page):
                return

    def newest(self, *, limit: int = 50, before: int | None = None) -> list[Entry]:
        """The newest events first; each entry's value is the event alone."""
        return [_event(entry) for entry in self._log.newest(limit, before=before)]

    def following(self, number: int, *, limit: int) -> list[Entry]:
        """The events from this number on, the oldest first, as far as there is no gap."""
        return [_event(entry) for entry in self._log.following(number, limit)]

    def span(self, since: datetime, until: datetime) -> range:
        """The numbers between which all lies that happened from `since` on and before `until`, and little else.

        Found by bisection: workers' clocks, and their delays, put events out of their order by minutes and not by more.
        """
        return range(self._first_from(since - CLOCKS_DIFFER), self._first_from(until + CLOCKS_DIFFER))

    def _first_from(self, time: datetime) -> int:
        low, high = 0, self._log.count()
        while low < high:
            middle = (low + high) // 2
            entry = self._log.get(middle)
            if entry is not None and datetime.fromisoformat(entry.value["event"]["time"]) < time:
                low = middle + 1
            else:
                high = middle
        return low

    def moves_from(self, number: int, *, limit: int) -> list[Move]:
        """The moves from this event on, the oldest first, as far as there is no gap."""
        return [_move(entry) for entry in self._log.following(number, limit)]

    def count(self) -> int:
        return self._log.count()

    def next_number(self) -> int:
        """The number an event appended now would get, as far as this process knows."""
        return self._log.next_number()

    def end(self) -> tuple[int, datetime | None]:
        """How many events there are, and when, by storage's clock, the newest was logged; None when there are none."""
        return self._log.end()

    def snapshot(self) -> Sums:
        """The sums without the newest few events: one small read, good enough for an estimate."""
        row = self._hot.get(self._within, SUMS)
        return _sums(row)

    def sums(self, rows: Sequence[Row]) -> Sums:
        """The sums over all events; rows: of the log's partition, read together in one go."""
        total = _sums(next((row for row in rows if row.row == SUMS), None))
        hot = [entry for row in rows if (entry := self._log.hot_entry(row))]
        for entry in reversed(hot):
            total = total.with_event(entry.value)
        return total

    def causes(self, rows: Sequence[Row]) -> Causes:
        """The causes of alerts that are open; rows: of the log's partition, read together in one go."""
        found = _causes(next((row for row in rows if row.row == CAUSES), None))
        hot = [entry for row in rows if (entry := self._log.hot_entry(row))]
        for entry in reversed(hot):
            found = found.with_event(entry.number, entry.value)
        return found

    def _folded(self, leaving: Sequence[Entry]) -> list[Write]:
        return [*self._sums_folded(leaving), *self._causes_folded(leaving)]

    def _causes_folded(self, leaving: Sequence[Entry]) -> list[Write]:
        """What an older version of the app moved out of the tail meanwhile is folded now."""
        row = self._hot.get(self._within, CAUSES)
        found = _causes(row)
        first = leaving[0].number
        while row is not None and found.next < first:
            passed = self._log.following(found.next, min(first - found.next, 100))
            if not passed:
                break
            for entry in passed:
                found = found.with_event(entry.number, entry.value)
        for entry in leaving:
            found = found.with_event(entry.number, entry.value)
        value = found.to_json()
        return [Replace(old=row, value=value) if row else Insert(row=CAUSES, value=value)]

    def _sums_folded(self, leaving: Sequence[Entry]) -> list[Write]:
        row = self._hot.get(self._within, SUMS)
        total = _sums(row)
        for entry in leaving:
            total = total.with_event(entry.value)
        value = {"tally": dict(total.tally), "weighted": dict(total.weighted)}
        return [Replace(old=row, value=value) if row else Insert(row=SUMS, value=value)]


def _sums(row: Row | None) -> Sums:
    return Sums(**row.value) if row else Sums()


def _causes(row: Row | None) -> Causes:
    return Causes(**row.value) if row else Causes()


def _event(entry: Entry) -> Entry:
    return Entry(number=entry.number, value=entry.value["event"], row=entry.row)


def _move(entry: Entry) -> Move:
    record, seq = entry.value["record"], entry.value["event"]["data"]["seq"]
    return Move(event=entry.number, kind=record["kind"], record=record["number"], seq=seq)
