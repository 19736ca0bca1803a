"""The event log: sums that equal a fold of everything, whatever of it has left the tail; averages that fade."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.ledger.interrupted import Fuse, Interrupted, Killed, Once
from unit.ledger.processes import Processes, folded, made_up

from shared.errors import Conflict
from shared.ledger.append_log import SEGMENT
from shared.ledger.event_log import CLOCKS_DIFFER, HOT, WEIGHT, EventLog, Sums
from shared.ledger.ledger import NOW


@pytest.fixture
def processes() -> Processes:
    return Processes()


def logged(number: int) -> dict[str, Any]:
    """An event whose sums depend on its place: folded twice, left out or in another order, they differ."""
    (value,) = made_up(str(number))
    tally = {f"upload/{number % 3}/": 1} | ({f"upload/{(number - 1) % 3}/": -1} if number else {})
    return {**value, "tally": tally, "stays": {f"upload/{number % 2}": float(number)}}


def sums(processes: Processes) -> Sums:
    return processes.ledger().present().sums


@pytest.mark.parametrize("count", [0, 1, HOT, HOT + SEGMENT, 2 * SEGMENT + HOT, 131])
@pytest.mark.parametrize("at_once", [1, 7])
def test_the_sums_are_a_fold_of_all_events_at_any_length(
    processes: Processes, count: int, at_once: int
) -> None:
    ledger = processes.ledger()
    everything = [logged(number) for number in range(count)]
    for start in range(0, count, at_once):
        ledger.outbox.append(everything[start : start + at_once])
    assert sums(processes) == folded(everything)
    assert processes.ledger().events.count() == count
    assert processes.events() == [str(number) for number in range(count)]


def test_the_snapshot_covers_what_has_left_the_tail(processes: Processes) -> None:
    everything = [logged(number) for number in range(2 * SEGMENT + HOT)]
    for value in everything:
        processes.ledger().outbox.append([value])
    hot = sum(row.row.startswith("event-") for row in processes.present.rows(NOW))
    assert 0 < hot < len(everything)
    assert processes.ledger().events.snapshot() == folded(everything[:-hot])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 6), st.booleans()), max_size=8))
def test_the_sums_are_a_fold_of_all_events_whatever_dies_compacting(
    steps: list[tuple[int, int, bool]],
) -> None:
    processes, everything = Processes(), list[dict[str, Any]]()
    for count, dies_at, after in steps:
        more = [logged(len(everything) + number) for number in range(count)]
        fuse = Fuse(dies_at or None, after=after)
        with suppress(Killed):  # while compacting: the events are in the log
            processes.ledger(past=fuse.over(processes.past)).outbox.append(more)
        everything += more
        log = EventLog(hot=fuse.over(processes.present), cold=fuse.over(processes.past), within=NOW)
        with suppress(Killed, Conflict):
            log._log.compact(log._folded)
        assert sums(processes) == folded(everything)
        assert len(processes.events()) == len(everything)


def test_two_compactors_fold_each_event_once(processes: Processes) -> None:
    everything = [logged(number) for number in range(2 * SEGMENT + HOT)]
    log = EventLog(hot=processes.present, cold=processes.past, within=NOW)
    log._log._tail = 10**6
    for value in everything:
        appended = log.inserts([value])
        log.grown(appended, processes.present.commit(NOW, appended))

    def quicker() -> None:
        other = EventLog(hot=processes.present, cold=processes.past, within=NOW)
        other._log.compact(other._folded)

    for verb in ("get", "commit"):
        hot: Any = Interrupted(processes.present, before=Once(verb, quicker))
        slow = EventLog(hot=hot, cold=processes.past, within=NOW)
        with suppress(Conflict):
            slow._log.compact(slow._folded)
        assert sums(processes) == folded(everything)


def test_an_average_is_over_the_newest_and_the_older_fade() -> None:
    total = Sums()
    for seconds in [10.0, 20.0, 30.0]:
        total = total.with_event({"tally": {}, "stays": {"upload/arrived": seconds}})
    assert total.averages == {"upload/arrived": 20.0}
    for _ in range(20 * WEIGHT):
        total = total.with_event({"tally": {}, "stays": {"upload/arrived": 100.0}})
    assert total.averages["upload/arrived"] == pytest.approx(100, abs=0.1)
    assert total.weighted["upload/arrived"][0] == WEIGHT


def test_what_comes_to_nothing_takes_no_room() -> None:
    total = Sums(tally={"a": 1}).with_event({"tally": {"a": -1, "b": 1}, "stays": {}})
    assert total.tally == {"b": 1}


def test_events_are_followed_as_far_as_there_are_any(processes: Processes) -> None:
    processes.ledger().outbox.append(made_up(*map(str, range(70))))
    events = processes.ledger().events
    assert [e.value["id"] for e in events.following(20, limit=40)] == [str(n) for n in range(20, 60)]
    assert [e.number for e in events.following(65, limit=100)] == [65, 66, 67, 68, 69]
    assert events.following(70, limit=100) == []
    assert [e.value["id"] for e in events.newest(limit=2, before=10)] == ["9", "8"]


def test_missing_events_are_looked_for_back_to_the_time_and_no_further(processes: Processes) -> None:
    def at(minute: int, *ids: str) -> list[dict[str, Any]]:
        time = (processes.time + timedelta(minutes=minute)).isoformat(timespec="milliseconds")
        return [{**value, "event": {**value["event"], "time": time}} for value in made_up(*ids)]

    for minute in range(0, 400, 2):
        processes.ledger().outbox.append(at(minute, f"{minute}", f"{minute} too"))
    processes.ledger().outbox.append(at(0, "late"))
    for minute in range(400, 449):
        processes.ledger().outbox.append(at(minute, f"{minute}", f"{minute} too"))
    processes.ledger().outbox.append(at(449, "449"))
    page = processes.ledger().events.newest(limit=100)
    assert page[-1].value["id"] == "late"
    counted = Interrupted(processes.past)
    events = processes.ledger(past=counted).events
    wanted = at(390, "390", "never", "0")
    since = processes.time + timedelta(minutes=390)
    # "0" was logged long before that time, and so is not looked for so far back
    assert [e["event"]["id"] for e in events.missing(wanted, since=since)] == ["never", "0"]
    assert counted.calls["get"] <= 300 // SEGMENT + 1


def test_missing_events_are_found_by_a_machine_whose_clock_is_ahead_of_who_logged_them(
    processes: Processes,
) -> None:
    claimed = processes.time + CLOCKS_DIFFER - timedelta(minutes=1)
    processes.ledger().outbox.append(made_up("mine"))
    for start in range(0, 150, 50):
        processes.ledger().outbox.append(made_up(*(f"other {number}" for number in range(start, start + 50))))
    assert processes.ledger().events.missing(made_up("mine"), since=claimed) == []
