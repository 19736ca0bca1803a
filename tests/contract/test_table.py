"""What a table promises, held against the one in memory and the one on Azurite."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from contract import simulated

from shared.adapters.memory import MemoryTable
from shared.errors import Conflict
from shared.ports import Delete, Insert, Remove, Replace, Table, Upsert, Write


@pytest.fixture(params=["memory", "simulated", "azurite"])
def table(request: pytest.FixtureRequest) -> Table:
    if request.param == "memory":
        return MemoryTable()
    if request.param == "simulated":
        return simulated.table()
    from azure.data.tables import TableServiceClient

    from shared.adapters.tables import AzureTable
    from shared.adapters.transport import settled

    account = request.getfixturevalue("azurite")
    service = settled(partial(TableServiceClient.from_connection_string, account))
    return AzureTable(service.create_table(f"t{uuid.uuid4().hex}"))


def test_a_row_comes_back_as_it_was_put(table: Table) -> None:
    value = {"text": 'ação "quoted"\n', "number": 1.5, "none": None, "list": [1, {"a": []}]}
    inserted = table.insert("p", "r", value)
    found = table.get("p", "r")
    assert found is not None
    assert found.value == value
    assert found.etag == inserted.etag
    assert abs(found.changed - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_value_larger_than_one_property_comes_back_whole(table: Table) -> None:
    value = {"text": "é" * 200_000}
    table.insert("p", "r", value)
    found = table.get("p", "r")
    assert found is not None
    assert found.value == value


def test_an_absent_row_is_none(table: Table) -> None:
    assert table.get("p", "nothing") is None


def test_only_one_of_two_inserts_wins(table: Table) -> None:
    table.insert("p", "r", {"by": "first"})
    with pytest.raises(Conflict):
        table.insert("p", "r", {"by": "second"})
    found = table.get("p", "r")
    assert found is not None
    assert found.value == {"by": "first"}


def test_a_row_is_replaced_only_as_it_was_read(table: Table) -> None:
    first = table.insert("p", "r", {"n": 1})
    second = table.replace(first, {"n": 2})
    with pytest.raises(Conflict):
        table.replace(first, {"n": 3})
    third = table.replace(second, {"n": 4})
    found = table.get("p", "r")
    assert found is not None
    assert (found.value, found.etag) == ({"n": 4}, third.etag)


def test_a_shorter_value_leaves_nothing_of_the_longer_one(table: Table) -> None:
    row = table.insert("p", "r", {"text": "x" * 100_000})
    table.replace(row, {"text": "y"})
    found = table.get("p", "r")
    assert found is not None
    assert found.value == {"text": "y"}


def test_a_deleted_row_cannot_be_replaced_and_may_be_deleted_again(table: Table) -> None:
    row = table.insert("p", "r", {})
    table.delete(row)
    table.delete(row)
    with pytest.raises(Conflict):
        table.replace(row, {})


def test_rows_of_one_partition_come_in_order_after_a_key_and_no_more_than_asked(table: Table) -> None:
    for key in ("c", "a", "d", "b"):
        table.insert("p", key, {"key": key})
    table.insert("other", "a", {})
    assert [row.row for row in table.rows("p")] == ["a", "b", "c", "d"]
    assert [row.row for row in table.rows("p", after="b")] == ["c", "d"]
    assert [row.row for row in table.rows("p", limit=2)] == ["a", "b"]
    assert [row.row for row in table.rows("p", after="a", before="d")] == ["b", "c"]
    assert list(table.rows("empty")) == []


def test_an_upserted_row_is_there_whatever_was_there(table: Table) -> None:
    table.commit("p", [Upsert(row="r", value={"n": 1, "text": "x" * 100_000})])
    table.commit("p", [Upsert(row="r", value={"n": 2})])
    found = table.get("p", "r")
    assert found is not None
    assert found.value == {"n": 2}


def test_writes_of_one_commit_are_all_there(table: Table) -> None:
    old = table.insert("p", "old", {"n": 1})
    table.insert("p", "gone", {})
    leaving = table.insert("p", "leaving", {})
    etags = table.commit(
        "p",
        [
            Insert(row="new", value={"n": 3}),
            Replace(old=old, value={"n": 2}),
            Delete(row="gone"),
            Upsert(row="put", value={"n": 4}),
            Remove(old=leaving),
        ],
    )
    there = {row.row: row for row in table.rows("p")}
    assert {key: row.value["n"] for key, row in there.items()} == {"new": 3, "old": 2, "put": 4}
    assert etags == [there["new"].etag, there["old"].etag, "", there["put"].etag, ""]


@pytest.mark.parametrize("fault", ["inserted already", "replaced since", "removed as it was", "gone"])
def test_a_commit_with_one_write_that_cannot_be_made_changes_nothing(table: Table, fault: str) -> None:
    there, other = table.insert("p", "there", {"n": 1}), table.insert("p", "other", {"n": 1})
    changed = table.replace(there, {"n": 2})
    bad: dict[str, Write] = {
        "inserted already": Insert(row="there", value={}),
        "replaced since": Replace(old=there, value={}),
        "removed as it was": Remove(old=there),
        "gone": Delete(row="missing"),
    }
    with pytest.raises(Conflict):
        table.commit("p", [Insert(row="new", value={}), Replace(old=other, value={"n": 9}), bad[fault]])
    assert {row.row: row.value for row in table.rows("p")} == {"there": changed.value, "other": {"n": 1}}
