"""The audit log: one entry for each operation, and a chain that no race breaks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from unit.ledger.interrupted import Fuse, Interrupted, Killed, Once
from unit.ledger.processes import Processes, made_up

from shared.domain.audit import broken_at
from shared.errors import Conflict
from shared.ledger import append_log


@pytest.fixture
def processes() -> Processes:
    return Processes()


def operations(processes: Processes) -> list[str]:
    """The oldest first; the chain of all entries is whole."""
    entries = processes.ledger().audit.newest(10_000)[::-1]
    assert [entry.number for entry in entries] == list(range(len(entries)))
    assert broken_at(entry.value for entry in entries) is None
    return [entry.value["operationId"] for entry in entries]


def test_the_chain_is_whole_over_the_boundary(processes: Processes) -> None:
    audit = processes.ledger().audit
    names = [f"{number}" for number in range(append_log.HOT + 3 * append_log.SEGMENT)]
    assert [audit.append({"operationId": name}, retried=False) for name in names] == list(range(len(names)))
    assert operations(processes) == names


def test_the_chain_is_whole_whoever_races(processes: Processes) -> None:
    audits = [processes.ledger().audit, processes.ledger().audit]

    def work(worker: int) -> None:
        for number in range(5):
            audits[worker % 2].append({"operationId": f"{worker}-{number}"}, retried=False)

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))
    assert sorted(operations(processes)) == [f"{worker}-{n}" for worker in range(4) for n in range(5)]


@pytest.mark.parametrize("verb", ["rows", "get", "commit"])
def test_who_is_slower_follows_the_quicker(processes: Processes, verb: str) -> None:
    processes.ledger().audit.append({"operationId": "first"}, retried=False)
    quicker = Once(verb, lambda: processes.ledger().audit.append({"operationId": "quicker"}, retried=False))
    slow = processes.ledger(present=Interrupted(processes.present, before=quicker))
    slow.audit.append({"operationId": "slower"}, retried=False)
    assert quicker.done
    assert operations(processes) == ["first", "quicker", "slower"]


def test_a_process_that_slept_chains_to_the_newest(processes: Processes) -> None:
    sleeper = processes.ledger().audit
    sleeper.append({"operationId": "first"}, retried=False)
    names = [str(number) for number in range(append_log.HOT + 3 * append_log.SEGMENT)]
    other = processes.ledger().audit
    for name in names:
        other.append({"operationId": name}, retried=False)
    sleeper.append({"operationId": "last"}, retried=False)
    assert operations(processes) == ["first", *names, "last"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_attempt_that_died_is_written_once_when_it_is_made_again(after: bool) -> None:
    for at in range(1, 4):
        processes = Processes()
        processes.ledger().audit.append({"operationId": "first"}, retried=False)
        dying = processes.ledger(present=Fuse(at, after=after).over(processes.present))
        with pytest.raises(Killed):
            dying.audit.append({"operationId": "mine"}, retried=False)
        processes.ledger().audit.append({"operationId": "between"}, retried=False)
        number = processes.ledger().audit.append({"operationId": "mine"}, retried=True)
        assert sorted(operations(processes)) == ["between", "first", "mine"]
        assert operations(processes)[number] == "mine"
        assert processes.ledger().audit.append({"operationId": "mine"}, retried=True) == number


def test_an_entry_that_storage_wrote_and_refused_to_write_again_is_written_once(processes: Processes) -> None:
    def refuse() -> None:
        raise Conflict

    processes.ledger().audit.append({"operationId": "first"}, retried=False)
    audit = processes.ledger(present=Interrupted(processes.present, after=Once("commit", refuse))).audit
    assert audit.append({"operationId": "mine"}, retried=False) == 1
    assert operations(processes) == ["first", "mine"]


def test_an_end_that_never_stays_is_told(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(append_log.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(append_log.AppendLog, "append_at", lambda *given: None)
    with pytest.raises(Conflict, match=f"moved {append_log.CAS_TRIES} times"):
        processes.ledger().audit.append({"operationId": "o1"}, retried=False)


def test_losers_of_a_race_wait_by_chance_and_longer_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = list[float]()
    monkeypatch.setattr(append_log.time, "sleep", slept.append)
    monkeypatch.setattr(append_log.random, "uniform", lambda least, most: most)
    for attempt in (0, 1, 2, 30):
        append_log.back_off(attempt)
    assert slept == [0.002, 0.004, 0.008, append_log.LONGEST_BACK_OFF_SECONDS]


def test_the_tail_is_looked_at_once_a_segment(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the entry that fills one, however many come at once; and not before there is one to move."""
    compacted = list[int]()

    def compact(log: append_log.AppendLog, fold: object) -> None:
        compacted.append(log.next_number())

    monkeypatch.setattr(append_log.AppendLog, "compact", compact)
    audit = processes.ledger().audit
    for number in range(130):
        audit.append({"operationId": f"{number}"}, retried=False)
    assert compacted == [100, 125]
    events = processes.ledger().outbox
    compacted.clear()
    for start in range(0, 140, 7):
        events.append(made_up(*(f"{number}" for number in range(start, start + 7))))
    assert compacted == [56, 77, 105, 126]
