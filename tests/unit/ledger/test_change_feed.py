"""The change feed: who walks a list and follows it from there sees each move once, whoever writes meanwhile."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.ledger.following import Reader, read_anew
from unit.ledger.interrupted import Interrupted
from unit.ledger.processes import Processes, arrived, moved

from shared.adapters.memory import MemoryTable, system_clock
from shared.ledger import Cursor, Ledger, change_feed
from shared.ledger.change_feed import LOGGED_BY, MARGIN
from shared.ledger.ledger import NOW
from shared.ports import Row

STATES = ("arrived", "admitted", "registered")


@pytest.fixture
def processes() -> Processes:
    return Processes()


def record(ledger: Ledger, id_: str, state: str, *, cause: str = "") -> list[dict[str, Any]]:
    """Moves the record; its events are for the log."""
    return ledger.records.apply([moved(id_, state, name=id_)], cause=cause or f"{id_} {state}")


def put(ledger: Ledger, id_: str, state: str, *, cause: str = "") -> None:
    ledger.outbox.append(record(ledger, id_, state, cause=cause))


def test_who_follows_is_told_what_moved_and_nothing_else(processes: Processes) -> None:
    ledger = processes.ledger()
    for name in "abcde":
        put(ledger, name, "arrived")
    reader = Reader(processes.ledger())
    cursor = reader.walk()
    assert [name for name, _ in reader.told] == list("edcba")
    assert reader.follow(cursor) == cursor
    put(ledger, "b", "admitted")
    put(ledger, "f", "arrived")
    put(ledger, "b", "registered")
    reader.told.clear()
    cursor = reader.follow(cursor)
    assert reader.told == [("f", 1), ("b", 3)]  # as each is now, where it moved last
    assert reader.state == read_anew(ledger)
    assert reader.follow(cursor) == cursor


def test_values_that_grow_are_no_change_and_come_with_the_next_move(processes: Processes) -> None:
    ledger = processes.ledger()
    put(ledger, "a", "arrived")
    reader = Reader(ledger)
    cursor = reader.walk()
    ledger.outbox.append(ledger.records.apply([moved("a", None, rows=3)], cause="growing"))
    cursor = reader.follow(cursor)
    assert reader.told == [("a", 1)]
    put(ledger, "a", "admitted")
    reader.follow(cursor)
    assert reader.told == [("a", 1), ("a", 3)]


def test_a_move_is_told_with_its_event_and_not_before(processes: Processes) -> None:
    """A worker moved the record twice, and its second event is still on the way: the first does not stand for it."""
    ledger = processes.ledger()
    put(ledger, "a", "arrived")
    reader = Reader(ledger)
    cursor = reader.walk()
    put(ledger, "a", "admitted")
    late = record(ledger, "a", "registered")
    cursor = reader.follow(cursor)
    assert reader.told == [("a", 1)]
    ledger.outbox.append(late)
    reader.follow(cursor)
    assert reader.told == [("a", 1), ("a", 3)]


def test_what_the_walk_showed_before_its_event_was_logged_is_not_told_again(processes: Processes) -> None:
    ledger = processes.ledger()
    put(ledger, "old", "arrived")
    before = record(ledger, "old", "admitted")
    reader = Reader(ledger)
    during = iter(["registered"])
    late: list[dict[str, Any]] = []
    cursor = reader.walk(
        between=lambda: [late.extend(record(ledger, "old", state)) for state in during] and None
    )
    assert reader.told == [("old", 3)]
    ledger.outbox.append(before)
    ledger.outbox.append(late)
    assert reader.follow(cursor).seen == {}
    assert reader.told == [("old", 3)]


@pytest.mark.parametrize("seconds", [0, MARGIN.total_seconds() + 1, LOGGED_BY.total_seconds() * 100])
def test_what_moved_long_before_its_event_is_not_told_again(processes: Processes, seconds: float) -> None:
    """A step was given up after it had moved a record; the walk shows that, and a person has it tried again later."""
    ledger = processes.ledger()
    late = record(ledger, "a", "arrived")
    processes.pass_time(seconds)
    put(ledger, "b", "arrived")
    reader = Reader(ledger)
    cursor = reader.walk()
    put(ledger, "c", "arrived")
    cursor = reader.follow(cursor)
    ledger.outbox.append(late)
    reader.follow(cursor)
    assert sorted(reader.told) == [("a", 1), ("b", 1), ("c", 1)]


def test_what_moves_after_its_page_was_read_is_told(processes: Processes) -> None:
    ledger = processes.ledger()
    for name in "abcdef":
        put(ledger, name, "arrived")
    processes.pass_time(3600)
    moves: Iterator[tuple[str, str]] = iter([("f", "admitted"), ("f", "registered"), ("a", "admitted")])
    reader = Reader(ledger, page=2)
    cursor = reader.walk(between=lambda: put(ledger, *next(moves, ("g", "arrived"))))
    reader.follow(cursor)
    assert not reader.repeated()
    assert reader.state == read_anew(ledger)


class Behind:
    """A table one of whose partitions is kept by a server whose clock is behind."""

    def __init__(self, table: MemoryTable, partition: str, by: timedelta) -> None:
        self._table, self._partition, self._by = table, partition, by

    def get(self, partition: str, row: str) -> Row | None:
        found = self._table.get(partition, row)
        return self._seen(found) if found else None

    def rows(self, partition: str, **more: Any) -> Iterator[Row]:
        return map(self._seen, self._table.rows(partition, **more))

    def _seen(self, row: Row) -> Row:
        return replace(row, changed=row.changed - self._by) if row.partition == self._partition else row

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._table, verb)


@pytest.mark.parametrize("partition", ["upload", NOW])
def test_nothing_is_missed_where_storages_own_clocks_differ(processes: Processes, partition: str) -> None:
    ledger = processes.ledger(present=Behind(processes.present, partition, MARGIN * 0.9))
    put(ledger, "a", "arrived")
    put(ledger, "b", "arrived")
    reader = Reader(ledger)
    cursor = reader.walk()
    put(ledger, "a", "admitted")
    cursor = reader.follow(cursor)
    assert reader.told == [("b", 1), ("a", 1), ("a", 2)]


def test_a_cursor_forgets_what_it_saw_once_it_must_have_been_logged(processes: Processes) -> None:
    ledger = processes.ledger()
    put(ledger, "a", "arrived")
    put(ledger, "b", "arrived")
    reader = Reader(ledger)
    cursor = reader.walk()
    assert cursor.seen == {0: 1, 1: 1}
    put(ledger, "b", "admitted")
    cursor = reader.follow(cursor)
    assert cursor.seen == {0: 1}
    processes.pass_time(LOGGED_BY.total_seconds() + 1)
    put(ledger, "b", "registered")
    assert reader.follow(cursor).seen == {}


def test_a_cursor_forgets_nothing_while_its_reader_is_behind(processes: Processes) -> None:
    """Neither because the walk took long, nor because the reader was away after it."""
    ledger = processes.ledger()
    put(ledger, "a", "arrived")
    put(ledger, "b", "arrived")
    away = LOGGED_BY.total_seconds() * 2
    reader, late = Reader(ledger, page=1), list[dict[str, Any]]()
    steps = iter(
        [lambda: None, lambda: (processes.pass_time(away), late.extend(record(ledger, "a", "admitted")))]
    )
    cursor = reader.walk(between=lambda: next(steps, lambda: None)() and None)
    put(ledger, "c", "arrived")
    cursor = reader.follow(cursor)
    ledger.outbox.append(late)
    processes.pass_time(away)
    put(ledger, "d", "arrived")
    unread, cursor = ledger.changes.unread(cursor)
    assert (unread, cursor.seen[0]) == (2, 2)
    reader.follow(cursor)
    assert not reader.repeated()
    assert reader.state == read_anew(ledger)


def test_a_cursor_stays_small(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_feed, "MOST_SEEN", 4)
    for number in range(9):
        put(processes.ledger(), str(number), "arrived")
    assert len(Reader(processes.ledger()).walk().seen) == 4


def test_a_cursor_of_another_log_is_known_by_its_number(processes: Processes) -> None:
    put(processes.ledger(), "a", "arrived")
    feed = processes.ledger().changes
    assert feed.unread(Cursor(next=1))[0] == 0
    assert feed.unread(Cursor(next=2))[0] < 0


# --- whoever writes meanwhile -----------------------------------------------------------------------------

Act = tuple[str, int]
"""`move` a record that is at hand on, `log` an event that waits for it, `page` of the walk, `follow`, `wait`."""
ACTS = st.lists(
    st.tuples(st.sampled_from(["move", "move", "log", "log", "page", "follow", "wait"]), st.integers(0, 7)),
    max_size=60,
)


@dataclass
class Story:
    """Workers that move records and log the events of that when they get to it."""

    processes: Processes = field(default_factory=Processes)
    states: dict[int, int] = field(default_factory=dict)
    waiting: list[list[dict[str, Any]]] = field(default_factory=list)
    """Events that are not logged yet, though their records have moved."""

    def __post_init__(self) -> None:
        self.ledger = self.processes.ledger()

    def act(self, what: str, which: int) -> None:
        if what == "move" and self.states.get(which, -1) < len(STATES) - 1:
            self.states[which] = self.states.get(which, -1) + 1
            self.waiting.append(record(self.ledger, str(which), STATES[self.states[which]]))
        elif what == "log" and self.waiting:
            self.ledger.outbox.append(self.waiting.pop(which % len(self.waiting)))
        elif what == "wait":
            self.processes.pass_time(which * MARGIN.total_seconds() / 3)

    def until(self, ends: str, script: Iterator[Act]) -> None:
        for what, which in script:
            if what == ends:
                return
            self.act(what, which)


@settings(max_examples=300, deadline=None)
@given(ACTS, ACTS, st.integers(1, 4))
def test_each_move_is_told_once_in_whatever_order_things_happen(
    before: list[Act], during: list[Act], page: int
) -> None:
    story = Story()
    story.until("", iter(before))
    reader, script = Reader(story.processes.ledger(), page=page), iter(during)
    cursor = reader.walk(between=lambda: story.until("page", script))
    for what, which in script:
        cursor = reader.follow(cursor) if what == "follow" else cursor
        story.act(what, which)
    for events in story.waiting:
        story.ledger.outbox.append(events)
    reader.follow(cursor)
    assert not reader.repeated()
    assert reader.state == read_anew(story.ledger)


@pytest.mark.parametrize("seed", range(3))
def test_each_move_is_told_once_under_eight_writers(seed: int) -> None:
    """Eight processes move what they share as fast as they can, one reader walks and follows meanwhile."""
    past, present = MemoryTable(), MemoryTable()

    def ledger() -> Ledger:
        return Ledger(past, present=present, now=system_clock, lease_seconds=60)

    def write(writer: int) -> None:
        mine, chance = ledger(), random.Random(seed * 100 + writer)
        for number in range(60):
            id_ = f"{chance.randrange(80)}" if number % 5 else f"{writer}-{number}"
            put(mine, id_, chance.choice(STATES), cause=f"{writer}/{number}")

    for number in range(60):
        put(ledger(), f"{number}", "arrived")
    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    reader = Reader(ledger(), page=7)
    for writer in writers:
        writer.start()
    reader.keep_up(writers)
    assert not reader.repeated()
    assert reader.state == read_anew(ledger())


# --- cost -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [100, 10_000])
def test_following_costs_the_same_however_long_the_history_is(length: int) -> None:
    processes = Processes()
    writing = processes.ledger()
    for start in range(0, length, 50):
        changes = [arrived(str(number)) for number in range(start, start + 50)]
        writing.outbox.append(writing.records.apply(changes, cause=str(start)))
    cursor = processes.ledger().changes.position()
    for number in range(10):
        put(writing, str(length - number - 1), "admitted")
    tables = Interrupted(processes.present), Interrupted(processes.past)
    feed = processes.ledger(present=tables[0], past=tables[1]).changes
    unread, cursor = feed.unread(cursor)
    assert (unread, sum(tables[0].calls.values()), sum(tables[1].calls.values())) == (10, 1, 0)
    steps = feed.read("upload", cursor, limit=unread)
    assert len([step for step in steps if step.listed]) == 10
    assert (sum(tables[0].calls.values()), sum(tables[1].calls.values())) == (3, 0)
    assert feed.unread(steps[-1].cursor)[0] == 0
    assert sum(tables[0].calls.values()) == 4
