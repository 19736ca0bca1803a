"""What the append-only log promises: numbers without gaps, no entry or change lost, the same cost at any length."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.ledger.interrupted import Fuse, Interrupted, Killed, Once

from shared.adapters.memory import MemoryTable
from shared.errors import Conflict
from shared.ledger.append_log import BUCKET, HOT, SEGMENT, AppendLog, Entry
from shared.ports import Insert, Replace, Table, Upsert, Write

SHORT = 5
"""Entries that stay hot in these tests' logs, so that few make a segment leave."""
WITHIN = "present"


@pytest.fixture(params=["memory", "azurite"])
def table(request: pytest.FixtureRequest) -> Table:
    if request.param == "memory":
        return MemoryTable()
    from azure.data.tables import TableServiceClient

    from shared.adapters.tables import AzureTable
    from shared.adapters.transport import settled

    account = request.getfixturevalue("azurite")
    service = settled(partial(TableServiceClient.from_connection_string, account))
    return AzureTable(service.create_table(f"t{uuid.uuid4().hex}"))


def log_over(table: Any, name: str = "log", *, tail: int = SHORT) -> AppendLog:
    """The log as another process has it: it remembers nothing."""
    return AppendLog(name, hot=table, cold=table, within=WITHIN, tail=tail)


def appended(log: AppendLog, value: dict[str, Any]) -> Entry:
    """The entry at the log's end, once no other worker is quicker."""
    while (entry := log.append_at(log.next_number(), value)) is None:
        pass
    return entry


def filled(table: Table, count: int, *, tail: int = SHORT) -> AppendLog:
    log = log_over(table, tail=tail)
    for number in range(count):
        assert appended(log, {"n": number}).number == number
    return log


def _number(entry: Entry) -> int:
    return entry.number


def numbers(entries: list[Entry]) -> list[int]:
    return [entry.number for entry in entries]


def whole(table: Any) -> dict[int, Any]:
    """Every entry's value, as a process sees it that knows nothing yet."""
    log = log_over(table)
    found = log.newest(10 * BUCKET)
    assert numbers(found) == list(range(len(found)))[::-1]
    assert [log_over(table).get(entry.number) for entry in found] == found
    for entries in (found, found[len(found) // 2 :]):  # over the boundary, and far behind it
        assert log_over(table).at(map(_number, entries)) == {entry.number: entry for entry in entries}
    return {entry.number: entry.value for entry in found}


def hot(table: Table) -> list[int]:
    log = log_over(table)
    return [entry.number for row in table.rows(WITHIN) if (entry := log.hot_entry(row))]


# --- numbers and pages ------------------------------------------------------------------------------------


def test_the_newest_come_first_and_pages_follow_each_other(table: Table) -> None:
    log = filled(table, 7)
    assert log.count() == 7
    assert numbers(log.newest(3)) == [6, 5, 4]
    assert numbers(log.newest(3, before=4)) == [3, 2, 1]
    assert numbers(log.newest(3, before=1)) == [0]
    assert log.newest(3, before=0) == []
    assert [entry.value for entry in log.newest(1)] == [{"n": 6}]


def test_an_empty_log_has_nothing_and_others_entries_are_not_its_own(table: Table) -> None:
    filled(table, 3)
    for name in ("lo", "log-", "log2"):
        other = log_over(table, name)
        assert (other.count(), other.newest(5), other.get(0), other.at([0, 1])) == (0, [], None, {})


def test_entries_are_found_on_both_sides_of_the_boundary(table: Table) -> None:
    filled(table, 2 * SEGMENT + SHORT + 3)
    assert hot(table) == list(range(SEGMENT, 2 * SEGMENT + SHORT + 3))[::-1]
    everything = range(2 * SEGMENT + SHORT + 3)
    for log in (log_over(table), log_over(table)):
        assert log.at([0, SEGMENT - 1, SEGMENT, 10**6]).keys() == {0, SEGMENT - 1, SEGMENT}
        assert {number: entry.value["n"] for number, entry in log.at(everything).items()} == {
            number: number for number in everything
        }
        found = [log.get(number) for number in (SEGMENT - 1, SEGMENT, everything[-1])]
        assert [entry.value["n"] for entry in found if entry] == [SEGMENT - 1, SEGMENT, everything[-1]]
        assert log.get(everything[-1] + 1) is None
        assert numbers(log.newest(8, before=SEGMENT + 4)) == list(range(SEGMENT - 4, SEGMENT + 4))[::-1]
        assert numbers(log.newest(1000)) == list(everything)[::-1]


def test_threads_and_processes_leave_no_gap_and_no_entry_out(table: Table) -> None:
    """Two processes, each with three threads at one log."""
    logs = [log_over(table), log_over(table)]

    def work(worker: int) -> list[tuple[int, Any]]:
        mine = []
        for n in range(8):
            value = {"by": worker, "n": n}
            mine.append((appended(logs[worker % 2], value).number, value))
        return mine

    with ThreadPoolExecutor(6) as workers:
        pairs = [pair for some in workers.map(work, range(6)) for pair in some]
    assert whole(table) == dict(pairs)
    assert len(dict(pairs)) == len(pairs) == 48


def test_who_loses_the_end_is_told_so(table: Table) -> None:
    log, other = log_over(table), log_over(table)
    assert log.append_at(1, {}) is None
    assert log.append_at(0, {"by": "log"}) is not None
    assert other.append_at(0, {"by": "other"}) is None
    assert appended(other, {"by": "other"}).number == 1
    assert log.append_at(1, {}) is None
    assert whole(table) == {0: {"by": "log"}, 1: {"by": "other"}}


def test_a_worker_that_slept_while_segments_left_appends_at_the_end(table: Table) -> None:
    """The number it thinks is next was taken and has left the tail: its row's key is free again."""
    sleeper = log_over(table)
    appended(sleeper, {"n": 0})
    others = log_over(table)
    for number in range(1, 2 * SEGMENT):
        appended(others, {"n": number})
    assert 1 not in hot(table)
    assert appended(sleeper, {"n": 2 * SEGMENT}).number == 2 * SEGMENT
    assert whole(table) == {number: {"n": number} for number in range(2 * SEGMENT + 1)}


def test_appending_in_a_transaction_of_ones_own(table: Table) -> None:
    log = log_over(table)
    for start in (0, 3, SEGMENT):
        while log.next_number() < start:
            appended(log, {"n": log.next_number()})
        inserts = log.inserts([{"n": start}, {"n": start + 1}, {"n": start + 2}])
        log.grown(inserts, table.commit(WITHIN, [*inserts, Upsert(row="mine", value={"n": start})]))
        assert (log.next_number(), log_over(table).count()) == (start + 3, start + 3)
    assert log.inserts([]) == []
    assert whole(table) == {number: {"n": number} for number in range(SEGMENT + 3)}


# --- changing ---------------------------------------------------------------------------------------------


def test_an_entry_changes_only_as_it_was_read_hot_or_cold(table: Table) -> None:
    filled(table, SEGMENT + SHORT)
    for number in (0, SEGMENT):
        log, other = log_over(table), log_over(table)
        entry, same = log.get(number), other.get(number)
        assert entry is not None
        assert same is not None
        changed = log.change(entry, {"n": "changed"})
        with pytest.raises(Conflict):
            other.change(same, {"n": "lost"})
        log.change(changed, {"n": "again"})  # what change returns is the fence for the next
        seen = log_over(table).get(number)
        assert seen is not None
        assert seen.value == {"n": "again"}
    assert len(whole(table)) == SEGMENT + SHORT


def test_an_appended_entry_can_be_changed_without_reading_it(table: Table) -> None:
    log = log_over(table)
    log.change(appended(log, {"n": 0}), {"n": 1})
    assert whole(table) == {0: {"n": 1}}


def test_neighbours_of_one_segment_change_at_once_without_harm(table: Table) -> None:
    filled(table, SEGMENT + SHORT)

    def work(number: int) -> None:
        mine, changes = log_over(table), 0
        while changes < 5:
            entry = mine.get(number)
            assert entry is not None
            with suppress(Conflict):
                mine.change(entry, {"n": entry.value["n"] + 100})
                changes += 1

    with ThreadPoolExecutor(3) as workers:
        list(workers.map(work, range(3)))
    assert [whole(table)[number]["n"] for number in range(4)] == [500, 501, 502, 3]


# --- compaction -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + SHORT - 1, SEGMENT + SHORT, 130])
def test_compaction_leaves_a_short_tail_and_whole_segments(length: int) -> None:
    table = MemoryTable()
    log = log_over(table, tail=10**6)
    for number in range(length):
        appended(log, {"n": number})
    assert len(hot(table)) == length
    log_over(table).compact()
    left = hot(table)
    assert len(left) < SHORT + SEGMENT
    assert (length - len(left)) % SEGMENT == 0
    assert left == list(range(length - len(left), length))[::-1]
    assert whole(table) == {number: {"n": number} for number in range(length)}


def test_the_tail_stays_short_by_itself(table: Table) -> None:
    log = log_over(table)
    for number in range(3 * SEGMENT + SHORT):
        appended(log, {"n": number})
        assert len(hot(table)) <= SHORT + 2 * SEGMENT
    assert len(whole(table)) == 3 * SEGMENT + SHORT


def test_what_is_written_with_the_leaving_entries_sees_each_once_in_order() -> None:
    table, left = MemoryTable(), list[int]()

    def fold(entries: Any) -> Iterator[Write]:
        left.extend(entry.number for entry in entries)
        yield Upsert(row="folded", value={"up to": left[-1]})

    log = log_over(table, tail=10**6)
    for number in range(3 * SEGMENT + SHORT):
        appended(log, {"n": number})
    log_over(table).compact(fold)
    assert left == list(range(3 * SEGMENT))
    folded = table.get(WITHIN, "folded")
    assert folded is not None
    assert folded.value == {"up to": 3 * SEGMENT - 1}


def test_partitions_are_bounded_and_pages_cross_them() -> None:
    table = MemoryTable()
    log = filled(table, BUCKET + 2 * SEGMENT)
    rows = Counter(partition for partition, _ in table._rows if partition != WITHIN)
    assert rows == {"log-0000000": BUCKET // SEGMENT, "log-0000001": 1}
    assert numbers(log.newest(8, before=BUCKET + 4)) == list(range(BUCKET - 4, BUCKET + 4))[::-1]


READY = SEGMENT + SHORT
"""A log of so many entries is compacted by one move."""


def ready() -> MemoryTable:
    """A table with a log that is due to be compacted."""
    table = MemoryTable()
    log = log_over(table, tail=10**6)
    for number in range(READY):
        appended(log, {"n": number})
    return table


def changed(table: Any, number: int, value: Any) -> None:
    """One worker's change: read, then written under the ETag, again when that is refused."""
    log = log_over(table)
    for _ in range(9):
        entry = log.get(number)
        assert entry is not None
        with suppress(Conflict):
            log.change(entry, value)
            return
    raise AssertionError


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_of_a_compaction_loses_nothing(after: bool) -> None:
    """Entries change after the crash, then another worker compacts."""
    fuse = Fuse()
    log_over(fuse.over(ready())).compact()
    assert fuse.calls >= 3
    for at in range(1, fuse.calls + 1):
        table = ready()
        with pytest.raises(Killed):
            log_over(Fuse(at, after=after).over(table)).compact()
        assert whole(table) == {number: {"n": number} for number in range(READY)}, at
        changed(table, 3, {"n": "changed"})
        changed(table, READY - 1, {"n": "changed"})
        expected = {number: {"n": number} for number in range(READY)}
        expected |= {3: {"n": "changed"}, READY - 1: {"n": "changed"}}
        assert whole(table) == expected, at
        log_over(table).compact()
        assert len(hot(table)) == SHORT, at
        assert whole(table) == expected, at


@pytest.mark.parametrize("verb", ["rows", "insert", "commit"])
def test_a_change_while_its_entry_is_compacted_is_kept(verb: str) -> None:
    """Before the tail is read, before the segment is written, before the entries leave."""
    table = ready()
    change = Once(verb, lambda: changed(table, 3, {"n": "changed"}))
    with suppress(Conflict):
        log_over(Interrupted(table, before=change)).compact()
    assert change.done
    expected = {number: {"n": number} for number in range(READY)} | {3: {"n": "changed"}}
    assert whole(table) == expected
    log_over(table).compact()
    assert len(hot(table)) == SHORT
    assert whole(table) == expected


@pytest.mark.parametrize("verb", ["get", "replace", "commit", "rows"])
def test_a_change_while_a_dead_workers_segment_is_written_anew_is_kept(verb: str) -> None:
    table = ready()
    with pytest.raises(Killed):  # after the segment's row was written
        log_over(Fuse(2, after=True).over(table)).compact()
    change = Once(verb, lambda: changed(table, 3, {"n": "changed"}))
    with suppress(Conflict):
        log_over(Interrupted(table, before=change)).compact()
    assert change.done
    expected = {number: {"n": number} for number in range(READY)} | {3: {"n": "changed"}}
    assert whole(table) == expected
    log_over(table).compact()
    assert whole(table) == expected


@pytest.mark.parametrize("verb", ["rows", "insert", "get", "replace", "commit"])
def test_two_compactors_at_once_move_each_entry_once(verb: str) -> None:
    """The second does all of its work before one call of the first; then an entry changes where it lies now."""
    table = ready()

    def quicker() -> None:
        log_over(table).compact()
        changed(table, 3, {"n": "changed"})

    if verb in ("get", "replace"):  # called only when a segment is there already
        with pytest.raises(Killed):
            log_over(Fuse(2, after=True).over(table)).compact()
    other = Once(verb, quicker)
    with suppress(Conflict):
        log_over(Interrupted(table, before=other)).compact()
    assert other.done
    assert len(hot(table)) == SHORT
    assert whole(table) == {number: {"n": number} for number in range(READY)} | {3: {"n": "changed"}}


def test_a_change_by_who_read_the_entry_before_it_moved_is_refused() -> None:
    table = ready()
    log = log_over(table)
    entry = log.get(3)
    assert entry is not None
    log_over(table).compact()
    with pytest.raises(Conflict):
        log.change(entry, {"n": "lost"})


def test_compaction_in_passing_does_not_fail_who_appends() -> None:
    """Another worker changes an entry while an append moves it: the append is done, the next moves it on."""
    table = MemoryTable()
    filled(table, 2 * SEGMENT - 1)
    removals = Once(
        "commit",
        lambda: changed(table, SEGMENT - SEGMENT + 3, {"n": "changed"}),
        when=lambda given: not isinstance(given[1][0], Insert | Replace),
    )
    log = log_over(Interrupted(table, before=removals))
    assert appended(log, {"n": 2 * SEGMENT - 1}).number == 2 * SEGMENT - 1
    expected = {number: {"n": number} for number in range(2 * SEGMENT)} | {3: {"n": "changed"}}
    if removals.done:
        assert len(hot(table)) == 2 * SEGMENT
    assert whole(table) == expected | ({} if removals.done else {3: {"n": 3}})
    assert removals.done


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.just(0)),
        st.tuples(st.just("compact"), st.just(0)),
        st.tuples(st.just("change"), st.integers(0, READY - 1)),
        st.tuples(st.just("die compacting"), st.integers(1, 5)),
    ),
    max_size=4,
)


@settings(max_examples=120, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=8))
def test_whatever_others_do_between_the_calls_nothing_is_lost(between: list[Any]) -> None:
    """One compacts, and before each of its calls others append, change, compact and die."""
    table = ready()
    expected: dict[int, Any] = {number: {"n": number} for number in range(READY)}
    plan = iter(between)

    def others(verb: str, given: tuple[Any, ...]) -> None:
        for what, argument in next(plan, ()):
            act(what, argument)

    def act(what: str, argument: int) -> None:
        match what:
            case "append":
                value = {"n": f"appended {len(expected)}"}
                expected[appended(log_over(table, tail=10**6), value).number] = value
            case "compact":
                with suppress(Conflict):
                    log_over(table).compact()
            case "change":
                expected[argument] = {"n": f"changed before {len(between)}", "was": expected[argument]["n"]}
                changed(table, argument, expected[argument])
            case "die compacting":
                with suppress(Killed, Conflict):
                    log_over(Fuse(argument, after=bool(argument % 2)).over(table)).compact()

    with suppress(Conflict):
        log_over(Interrupted(table, before=others)).compact()
    assert whole(table) == expected
    log_over(table).compact()
    assert whole(table) == expected
    assert len(hot(table)) < SHORT + SEGMENT


# --- cost -------------------------------------------------------------------------------------------------


def test_the_cost_does_not_grow_with_the_log() -> None:
    assert _costs(1_000) == _costs(20_000)


def _costs(length: int) -> dict[str, tuple[dict[str, int], int]]:
    """Calls by verb, and rows read, of each thing one does with a log of that length, seen afresh."""
    table = MemoryTable()
    log = filled(table, length, tail=HOT)
    things: dict[str, Callable[[AppendLog], object]] = {
        "append": lambda log: appended(log, {}),
        "page": lambda log: log.newest(20),
        "older page": lambda log: log.newest(20, before=length // 2 + 10),
        "at the boundary": lambda log: log.newest(HOT + SEGMENT),
        "one that is hot": lambda log: log.get(length - 2),
        "one that is cold": lambda log: log.get(length // 2),
        "several": lambda log: log.at([3, length // 2, length - 2]),
        "count": lambda log: log.count(),
    }
    costs = {}
    for name, thing in things.items():
        counted = Interrupted(table)
        thing(AppendLog(log.name, hot=counted, cold=counted, within=WITHIN))  # type: ignore[arg-type]
        costs[name] = (dict(counted.calls), counted.rows_read)
    return costs
