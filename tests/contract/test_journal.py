"""What the lists promise: each entry once, whatever crashes or races; newest first; the same cost at any length."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.adapters.memory import MemoryTable
from shared.errors import Conflict
from shared.journal import BUCKET, GROUP, Journal
from shared.ports import Table


@pytest.fixture(params=["memory", "azurite"])
def table(request: pytest.FixtureRequest) -> Table:
    if request.param == "memory":
        return MemoryTable()
    from azure.data.tables import TableServiceClient

    from shared.adapters.tables import AzureTable

    service = TableServiceClient.from_connection_string(request.getfixturevalue("azurite"))
    return AzureTable(service.create_table(f"t{uuid.uuid4().hex}"))


def _list(table: Any, name: str = "list") -> Journal:
    """The list as another process has it: it remembers nothing."""
    return Journal(table, name, heads=table)


def _ids(journal: Journal, limit: int = 100, before: int | None = None) -> list[str]:
    return [entry.value["id"] for entry in journal.newest(limit, before=before)]


def test_the_newest_come_first_and_pages_follow_each_other(table: Table) -> None:
    journal = _list(table)
    for number in range(7):
        assert journal.append(f"id {number}", {"id": f"id {number}"}) == number
    assert _ids(journal, 3) == ["id 6", "id 5", "id 4"]
    last = journal.newest(3)[-1].number
    assert _ids(journal, 3, before=last) == ["id 3", "id 2", "id 1"]
    assert _ids(journal, 3, before=0) == []
    assert _ids(_list(table, "another")) == []


def test_an_entry_is_found_by_its_id_and_can_change(table: Table) -> None:
    journal = _list(table)
    journal.append("a/b#c", {"id": "a/b#c", "n": 1})
    entry = journal.get("a/b#c")
    assert entry is not None
    journal.change(entry, {"id": "a/b#c", "n": 2})
    with pytest.raises(Conflict):
        _list(table).change(entry, {"id": "a/b#c", "n": 3})
    assert [entry.value["n"] for entry in _list(table).newest(5)] == [2]
    assert journal.get("nothing") is None


def test_neighbours_change_at_once_without_harm(table: Table) -> None:
    """Entries of one group, each changed ten times by a worker of its own."""
    journal = _list(table)
    for number in range(4):
        journal.append(str(number), {"id": str(number), "n": 0})

    def work(number: int) -> None:
        mine = _list(table)
        for _ in range(10):
            entry = mine.get(str(number))
            assert entry is not None
            mine.change(entry, {**entry.value, "n": entry.value["n"] + 1})

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))
    assert [entry.value["n"] for entry in _list(table).newest(9)] == [10, 10, 10, 10]


def test_the_same_id_again_changes_nothing(table: Table) -> None:
    journal = _list(table)
    for id_ in ("a", "b", "a", "b", "a"):
        _list(table).append(id_, {"id": id_}, tally={"n": 1}, averages={"x": 2.0})
    assert _ids(journal) == ["b", "a"]
    assert journal.head().tally == {"n": 2}


def test_sums_and_averages_go_along(table: Table) -> None:
    journal = _list(table)
    journal.append("1", {}, tally={"open": 1}, averages={"wait": 10.0})
    journal.append("2", {}, tally={"open": 1}, averages={"wait": 20.0})
    journal.append("3", {}, tally={"open": -1, "done": 1})
    assert journal.head().tally == {"open": 1, "done": 1}
    assert journal.head().averages == {"wait": 15.0}
    journal.append("4", {}, tally={"open": -1})
    assert journal.head().tally == {"done": 1}  # what came to nothing takes no room


def test_an_entry_can_be_made_from_the_one_before_it(table: Table) -> None:
    journal = _list(table)
    for id_ in "abc":
        journal.append(id_, lambda last, id_=id_: {"id": id_, "after": last["id"] if last else None})
    assert [entry.value["after"] for entry in journal.newest(5)] == ["b", "a", None]


def test_many_at_once_are_each_in_it_once(table: Table) -> None:
    """Eight workers, each with its own view of the table, half of whose entries others have too."""
    ids = [f"id {number}" for number in range(24)]

    def work(worker: int) -> None:
        journal = _list(table)
        for id_ in (ids * 2)[worker * 3 : worker * 3 + 12]:
            journal.append(id_, {"id": id_}, tally={"n": 1})

    with ThreadPoolExecutor(8) as workers:
        list(workers.map(work, range(8)))
    journal = _list(table)
    assert sorted(_ids(journal)) == sorted(ids)
    assert journal.head().tally == {"n": len(ids)}


def test_partitions_are_bounded_and_pages_cross_them() -> None:
    table = MemoryTable()
    journal = _list(table)
    for number in range(BUCKET + 5):
        journal.append(str(number), {"id": str(number)})
    rows = Counter(partition for partition, _ in table._rows if partition.startswith("list-0"))
    assert rows == {"list-0000000": BUCKET // GROUP, "list-0000001": 1}
    assert max(len(row.value) for (partition, _), row in table._rows.items() if partition in rows) == GROUP
    assert _ids(journal, 8) == [str(n) for n in range(BUCKET + 4, BUCKET - 4, -1)]
    assert _ids(journal, 3, before=BUCKET) == ["999", "998", "997"]


# --- crashes ----------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone."""


class Fused:
    """A table that kills at one of its calls, before or after it took effect."""

    def __init__(self, table: Table, at: int | None = None, *, after: bool = False) -> None:
        self._table, self.at, self.after, self.calls = table, at, after, 0

    def __getattr__(self, name: str) -> Any:
        method: Callable[..., Any] = getattr(self._table, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == self.at and not self.after:
                raise Killed
            result = method(*args, **kwargs)
            if self.calls == self.at:
                raise Killed
            return result

        return call


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("redone", ["at once", "after others"])
def test_a_crash_at_any_call_loses_nothing_and_repeats_nothing(after: bool, redone: str) -> None:
    calls = Fused(MemoryTable())
    _grow(_list(calls))
    assert calls.calls > 10
    for at in range(1, calls.calls + 1):
        table = MemoryTable()
        fused = Fused(table, at, after=after)
        with pytest.raises(Killed):
            _grow(_list(fused))
        if redone == "after others":
            _list(table).append("other", {"id": "other"}, tally={"n": 1})
        _grow(_list(table))
        journal = _list(table)
        expected = {"a", "b", "c"} | ({"other"} if redone == "after others" else set())
        assert sorted(_ids(journal)) == sorted(expected), at
        assert journal.head().tally == {"n": len(expected)}, at
        assert all(journal.get(id_) is not None for id_ in expected), at


def _grow(journal: Journal) -> None:
    for id_ in "abc":
        journal.append(id_, {"id": id_}, tally={"n": 1})


# --- cost -------------------------------------------------------------------------------------------------


def test_the_cost_does_not_grow_with_the_list() -> None:
    assert _costs(GROUP) == _costs(3 * BUCKET + GROUP)


def _costs(length: int) -> dict[str, int]:
    """Calls of each thing one does with a list of that length, seen afresh."""
    table = MemoryTable()
    journal = _list(table)
    for number in range(length):
        journal.append(str(number), {"id": str(number)})
    costs = {}
    things: dict[str, Callable[[Journal], object]] = {
        "append": lambda j: j.append("new", {"id": "new"}),
        "page": lambda j: j.newest(5),
        "one": lambda j: j.get(str(length // 2)),
        "head": lambda j: j.head(),
    }
    for name, thing in things.items():
        counted = Fused(table)
        thing(_list(counted))
        costs[name] = counted.calls
    return costs
