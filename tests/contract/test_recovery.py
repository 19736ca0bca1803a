"""Backup and restore on real tables: all of it comes back, a log that moves on meanwhile is cut where its end was read."""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableServiceClient

from commands.recovery import file
from commands.recovery.snapshot import Copied, snapshot
from commands.recovery.tables import Tables
from commands.stack.errors import StackError
from shared.adapters.tables import AzureTable
from shared.domain.facts import DatasetDue, UploadArrived
from shared.errors import Transient
from shared.ledger import Ledger
from shared.ledger.append_log import AppendLog


@pytest.fixture
def made(azurite: str) -> Iterator[list[Tables]]:
    """Two pairs of empty tables."""
    service = TableServiceClient.from_connection_string(azurite)
    names = [f"ledger{secrets.token_hex(4)}" for _ in range(2)]
    for name in names:
        service.create_table(name)
        service.create_table(f"{name}now")
    yield [Tables(service, name) for name in names]
    for name in names:
        service.delete_table(name)
        service.delete_table(f"{name}now")


def ledger(tables: Tables) -> Ledger:
    past, present = AzureTable(tables.past.client), AzureTable(tables.present.client)
    return Ledger(past, present=present, now=lambda: datetime.now(UTC), lease_seconds=60)


def copied(tables: Tables) -> list[Copied]:
    return list(snapshot(tables.present, tables.past, cut=tables.time()))


def test_what_was_copied_into_a_file_is_in_the_empty_tables(made: list[Tables], tmp_path: Path) -> None:
    first, second = made
    of_first = ledger(first)
    facts = [DatasetDue(dataset="bank", cause=f"upload/{n}.csv/1") for n in range(130)]
    of_first.outbox.expect(facts)
    of_first.claims.claim(UploadArrived(name="ä €.csv", etag="1"))
    backup = tmp_path / "ledger.gz"
    count = file.write(backup, file.Head(taken="now", release="1"), copied(first))
    head, rows = file.read(backup)
    assert (head.release, len(rows)) == ("1", count)
    second.fill(rows, over=False)
    again = ledger(second)
    assert {fact.key for fact in again.outbox.open(DatasetDue)} == {fact.key for fact in facts}
    assert sorted(map(str, copied(second))) == sorted(map(str, rows))
    with pytest.raises(StackError, match="are not empty"):
        second.fill(rows, over=False)
    second.fill(rows, over=True)


def test_a_log_is_cut_where_its_end_was_read(made: list[Tables]) -> None:
    """Between the copy of the present and that of the past, entries come, and older ones leave the hot tail."""
    first, second = made

    def log(tables: Tables) -> AppendLog:
        hot, cold = AzureTable(tables.present.client), AzureTable(tables.past.client)
        return AppendLog("upload", hot=hot, cold=cold, within="upload")

    def grow(until: int) -> None:
        while (number := log(first).count()) < until:
            assert log(first).append_at(number, {"entry": number})

    grow(90)

    class Meanwhile:
        def __getattr__(self, name: str) -> Any:
            return getattr(first.past, name)

        def everything(self) -> Any:
            grow(180)
            return first.past.everything()

    second.fill(list(snapshot(first.present, Meanwhile(), cut=first.time())), over=False)
    restored = log(second)
    assert restored.count() == 90
    assert [entry.value["entry"] for entry in restored.newest(200)] == list(range(89, -1, -1))
    assert restored.at(range(90, 200)) == {}, "nothing of what was lost is there"
    for number in range(90, 200):
        assert restored.append_at(number, {"again": number})
    assert [entry.value for entry in log(second).following(88, 4)] == [
        {"entry": 88}, {"entry": 89}, {"again": 90}, {"again": 91},
    ]  # fmt: skip


def test_a_present_that_never_stands_still_is_said_to_do_so() -> None:
    class Busy:
        def partition(self, name: str) -> Any:
            from shared.ports import Row

            etag = secrets.token_hex(4)
            return [Row(partition="now", row="event~end", value={}, etag=etag, changed=datetime.now(UTC))]

        def everything(self) -> Any:
            return []

    with pytest.raises(Transient, match="pause work"):
        list(snapshot(Busy(), Busy(), cut=datetime.now(UTC)))


@pytest.mark.parametrize("how", ["missing", "cut", "no gzip", "another format", "no end"])
def test_a_file_that_is_not_whole_restores_nothing(how: str, tmp_path: Path) -> None:
    backup = tmp_path / "ledger.gz"
    rows = [Copied(table="past", partition="p", row=str(n), value={"n": n}) for n in range(3)]
    file.write(backup, file.Head(taken="now", release="1"), rows)
    lines = gzip.decompress(backup.read_bytes()).splitlines(keepends=True)
    spoilt = {
        "cut": backup.read_bytes()[:-12],
        "no gzip": b"no gzip",
        "another format": gzip.compress(lines[0].replace(b'"format":1', b'"format":2') + b"".join(lines[1:])),
        "no end": gzip.compress(b"".join([*lines[:2], lines[-1]])),
    }
    backup.unlink() if how == "missing" else backup.write_bytes(spoilt[how])
    with pytest.raises(StackError, match=r"missing|no backup|not whole|format"):
        file.read(backup)
