"""Records: made once by whoever races, moved once by a cause, never lost to a worker that died or slept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from unit.ledger.interrupted import Fuse, Interrupted, Killed, Once
from unit.ledger.processes import Processes, arrived, moved

from shared.domain.kinds.kind import Change
from shared.errors import Conflict
from shared.ledger import append_log, history
from shared.ledger.append_log import HOT, SEGMENT
from shared.ledger.records import BEING_MADE


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two tries: who is in the way here stays there."""
    monkeypatch.setattr(append_log.time, "sleep", lambda seconds: None)


@pytest.fixture
def processes() -> Processes:
    return Processes()


def listed(processes: Processes) -> list[str]:
    return [record.id for record in processes.ledger().newest("upload", limit=10_000)]


def dead_at_its_place(processes: Processes, name: str) -> None:
    """A worker dies after it took the place of a record, before the record is there."""

    def dies(verb: str, given: Any) -> None:
        if verb == "commit":
            raise Killed

    dying = processes.ledger(present=Interrupted(processes.present, before=dies))
    with pytest.raises(Killed):
        dying.records.apply([arrived(name)], cause="x")


def test_a_record_is_made_once_by_racing_workers(processes: Processes) -> None:
    ledgers = [processes.ledger(), processes.ledger()]

    def work(worker: int) -> list[Any]:
        changes = [arrived(str(number)) for number in range(10)]
        return ledgers[worker % 2].records.apply(changes, cause=f"worker {worker}")

    with ThreadPoolExecutor(6) as workers:
        told = [event for events in workers.map(work, range(6)) for event in events]
    assert sorted(listed(processes)) == sorted(map(str, range(10)))
    assert len(told) == 10  # each move has one cause


def test_the_same_cause_again_writes_nothing_and_gives_the_same_events(processes: Processes) -> None:
    changes = [arrived("a"), moved("a", "admitted", rows=3), arrived("b")]
    first = processes.ledger().records.apply(changes, cause="fact")
    processes.pass_time(5)
    again = Interrupted(processes.present), Interrupted(processes.past)
    ledger = processes.ledger(present=again[0], past=again[1])
    assert [event["event"]["id"] for event in ledger.records.apply(changes, cause="fact")] == [
        event["event"]["id"] for event in first
    ]
    assert set(again[0].calls) | set(again[1].calls) == {"get"}
    assert ledger.records.apply(changes, cause="another fact") == []


def test_late_news_adds_what_it_knows_and_makes_no_event(processes: Processes) -> None:
    processes.ledger().records.apply([moved("a", "registered", rows=5)], cause="1")
    assert processes.ledger().records.apply([arrived("a", rows=4)], cause="2") == []
    record = processes.ledger().find("upload", "a")
    assert record is not None
    assert (record.state, record.values["name"], record.values["rows"]) == ("registered", "a", 5)


def test_values_alone_of_what_is_not_known_are_passed_over(processes: Processes) -> None:
    assert processes.ledger().records.apply([moved("a", None, rows=1)], cause="1") == []
    assert processes.ledger().find("upload", "a") is None
    assert listed(processes) == []


def test_a_process_that_knows_an_older_row_reads_it_anew(processes: Processes) -> None:
    one, other = processes.ledger(), processes.ledger()
    one.records.apply([arrived("a")], cause="1")
    other.records.apply([moved("a", "admitted", rows=3)], cause="2")
    assert one.records.apply([moved("a", None, sha256="x")], cause="3") == []
    assert [e["event"]["type"] for e in one.records.apply([moved("a", "registered")], cause="4")] == [
        "Campanha.UploadRegistered.v1"
    ]
    record = processes.ledger().find("upload", "a")
    assert record is not None
    assert (record.state, record.values["rows"], record.values["sha256"]) == ("registered", 3, "x")
    assert [state for state, _ in record.values["history"]] == ["arrived", "admitted", "registered"]


def test_a_value_that_another_process_changed_is_said_again(processes: Processes) -> None:
    """It is what this process said last, and no longer what is there."""
    one, other = processes.ledger(), processes.ledger()
    one.records.apply([arrived("a", rows=100)], cause="1")
    other.records.apply([moved("a", None, rows=90)], cause="2")
    one.records.apply([moved("a", None, rows=100)], cause="3")
    record = processes.ledger().find("upload", "a")
    assert record is not None
    assert record.values["rows"] == 100


def test_an_older_value_that_is_told_late_is_late_news(processes: Processes) -> None:
    ledger = processes.ledger()
    ledger.records.apply([arrived("a")], cause="1")
    older, newer = (
        replace(moved("a", None, rows=rows), order=Change.order_at(processes.time) + rows) for rows in (1, 2)
    )
    for change, rows in ((older, 1), (newer, 2), (older, 2), (moved("a", "admitted", rows=3), 3), (newer, 3)):
        processes.pass_time(1)
        ledger.records.apply([change], cause=str(change))
        record = ledger.find("upload", "a")
        assert record is not None
        assert record.values["rows"] == rows


def test_a_process_that_knows_a_row_that_went_cold_still_changes_it(processes: Processes) -> None:
    one, other = processes.ledger(), processes.ledger()
    one.records.apply([arrived("a")], cause="1")
    for number in range(HOT + 2 * SEGMENT):
        other.records.apply([arrived(str(number))], cause="2")
    assert processes.present.get("upload", "upload-9999999999") is None
    one.records.apply([moved("a", "admitted", rows=3)], cause="3")
    one.records.apply([moved("a", "registered")], cause="4")
    record = processes.ledger().find("upload", "a")
    assert record is not None
    assert (record.state, record.seq) == ("registered", 3)
    assert len(listed(processes)) == len(set(listed(processes))) == HOT + 2 * SEGMENT + 1


def test_a_change_is_kept_when_another_comes_between_reading_and_writing(processes: Processes) -> None:
    processes.ledger().records.apply([arrived("a")], cause="1")
    other = Once("replace", lambda: processes.ledger().records.apply([moved("a", None, rows=3)], cause="2"))
    slow = processes.ledger(present=Interrupted(processes.present, before=other))
    slow.records.apply([moved("a", "admitted", dataset="bank")], cause="3")
    record = processes.ledger().find("upload", "a")
    assert other.done
    assert record is not None
    assert (record.state, record.values["rows"], record.values["dataset"]) == ("admitted", 3, "bank")


# --- a place that leads nowhere ---------------------------------------------------------------------------


def test_a_dead_workers_place_is_taken_over_only_after_a_while(processes: Processes) -> None:
    dead_at_its_place(processes, "a")
    assert processes.ledger().find("upload", "a") is None
    processes.pass_time(BEING_MADE.total_seconds() - 1)
    with pytest.raises(Conflict):
        processes.ledger().records.apply([arrived("a")], cause="x")
    processes.pass_time(1)
    assert len(processes.ledger().records.apply([arrived("a")], cause="x")) == 1
    assert listed(processes) == ["a"]


def test_a_place_that_leads_to_another_is_taken_over_too(processes: Processes) -> None:
    dead_at_its_place(processes, "a")
    processes.ledger().records.apply([arrived("b")], cause="y")
    assert processes.ledger().find("upload", "a") is None
    processes.pass_time(BEING_MADE.total_seconds())
    processes.ledger().records.apply([arrived("a")], cause="x")
    assert listed(processes) == ["a", "b"]
    found = [processes.ledger().find("upload", name) for name in "ab"]
    assert [record.id for record in found if record] == ["a", "b"]


@pytest.mark.parametrize("between", [(), ("b",)], ids=["at the end", "passed"])
@pytest.mark.parametrize("verb", ["get", "insert", "replace", "commit"])
def test_two_that_take_over_at_once_make_one_record(
    processes: Processes, verb: str, between: tuple[str, ...]
) -> None:
    """The second does all of it before one call of the first."""
    dead_at_its_place(processes, "a")
    processes.ledger().records.apply([arrived(name) for name in between], cause="y")
    processes.pass_time(BEING_MADE.total_seconds())
    quicker = Once(verb, lambda: processes.ledger().records.apply([arrived("a")], cause="x"))
    slow = processes.ledger(
        past=Interrupted(processes.past, before=quicker),
        present=Interrupted(processes.present, before=quicker),
    )
    slow.records.apply([arrived("a")], cause="x")
    assert quicker.done
    assert listed(processes) == ["a", *between]
    record = processes.ledger().find("upload", "a")
    assert record is not None
    assert record.seq == 1


@pytest.mark.parametrize("between", [(), ("b",)], ids=["at the end", "passed"])
@pytest.mark.parametrize("knows", [True, False], ids=["knows an older end", "knows nothing"])
@pytest.mark.parametrize("call", range(1, 15))
def test_who_was_taken_for_dead_and_wakes_makes_no_second_record(
    processes: Processes, call: int, between: tuple[str, ...], knows: bool
) -> None:
    """It slept before its append; it wakes before one call of the worker that takes over, or after them all.

    knows: whether that worker knows where the end was long ago
    """
    calls, woke = 0, False

    def counted(verb: str, given: Any) -> None:
        nonlocal calls
        calls += taking_over
        if calls == call:
            wakes()

    def wakes() -> None:
        nonlocal woke
        if not woke:
            woke = True
            value = history.advanced(None, arrived("a"), processes.time, cause="x")
            with suppress(Conflict), pytest.MonkeyPatch.context() as patch:
                patch.setattr(sleeper.records, "_place", lambda kind, id_, number: place)
                sleeper.records._create("upload", "a", value)

    taking_over = False
    taker = processes.ledger(
        past=Interrupted(processes.past, before=counted),
        present=Interrupted(processes.present, before=counted),
    )
    if knows:
        taker.records._logs["upload"].next_number()
    processes.ledger().records.apply([arrived("first")], cause="y")
    sleeper = processes.ledger()
    place = sleeper.records._place("upload", "a", sleeper.records._logs["upload"].next_number())
    processes.ledger().records.apply([arrived(name) for name in between], cause="y")
    processes.pass_time(BEING_MADE.total_seconds())
    taking_over = True
    taker.records.apply([arrived("a")], cause="x")
    wakes()
    assert listed(processes) == ["a", *between, "first"]
    assert processes.ledger().find("upload", "a") is not None


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_makes_one_record(after: bool) -> None:
    fuse = Fuse()
    whole = Processes()
    whole.ledger(past=fuse.over(whole.past), present=fuse.over(whole.present)).records.apply(
        [arrived("a"), moved("a", "admitted", rows=3)], cause="x"
    )
    assert fuse.calls >= 4
    for at in range(1, fuse.calls + 1):
        processes = Processes()
        fuse = Fuse(at, after=after)
        changes = [arrived("a"), moved("a", "admitted", rows=3)]
        with pytest.raises(Killed):
            processes.ledger(
                past=fuse.over(processes.past), present=fuse.over(processes.present)
            ).records.apply(changes, cause="x")
        processes.pass_time(BEING_MADE.total_seconds())
        assert len(processes.ledger().records.apply(changes, cause="x")) == 2, at
        assert listed(processes) == ["a"], at
        record = processes.ledger().find("upload", "a")
        assert record is not None
        assert (record.state, record.seq) == ("admitted", 2), at
