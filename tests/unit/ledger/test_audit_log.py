"""The audit log: one entry for each operation, and a chain that no race breaks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from unit.ledger.interrupted import Fuse, Interrupted, Killed, Once
from unit.ledger.processes import Processes

from shared.domain.audit import broken_at
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
