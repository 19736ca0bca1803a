"""`./dev backup` and `./dev restore`, from storage to a file and back: what they print, and what they refuse."""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient

from commands import backup, restore
from commands.recovery import file as recovery_file
from commands.recovery import place
from commands.recovery.snapshot import PRESENT, Copied
from commands.recovery.tables import Tables
from commands.stack import processes, supervisor
from commands.stack.errors import StackError
from commands.stack.state import Stack
from shared.adapters.tables import AzureTable
from tests.unit.commands.small_stack import only_two_parts


@pytest.fixture
def tables(azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    service, name = TableServiceClient.from_connection_string(azurite), f"ledger{secrets.token_hex(4)}"
    made = Tables(service, name)
    for each in (name, f"{name}now"):
        service.create_table(each)
    for each in ("tables", "tables_to_fill"):
        monkeypatch.setattr(place, each, lambda state: made)
    yield made
    for each in (name, f"{name}now"):
        service.delete_table(each)


def test_a_ledger_goes_into_a_file_and_back(
    tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    AzureTable(tables.present.client).insert("upload", "upload-1", {"id": "a"})
    file = tmp_path / "ledger.gz"
    assert backup.main([str(file)]) == 0
    assert "1 rows as of " in capsys.readouterr().out
    with pytest.raises(StackError, match="are not empty"):
        restore.main([str(file)])
    tables.present.client.delete_entity("upload", "upload-1")
    assert restore.main([str(file)]) == 0
    assert "1 rows, as they were at " in capsys.readouterr().out
    (row,) = tables.present.everything()
    assert row.value == {"id": "a"}


def test_an_empty_ledger_is_a_backup_too(tables: Tables, tmp_path: Path) -> None:
    assert backup.main([str(tmp_path / "ledger.gz")]) == 0
    assert restore.main([str(tmp_path / "ledger.gz")]) == 0


def test_where_nothing_runs_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(place.ADDRESS, raising=False)
    with pytest.raises(StackError, match="not running"):
        backup.main([str(tmp_path / "ledger.gz"), "--state", str(tmp_path / "none")])
    assert not (tmp_path / "ledger.gz").exists()


def test_what_storage_does_not_allow_is_said_in_a_line(
    azurite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = re.sub(r"AccountKey=[^;]*", "AccountKey=d3Jvbmc=", azurite)
    refused = Tables(TableServiceClient.from_connection_string(key), "ledger")
    monkeypatch.setattr(place, "tables", lambda state: refused)
    with pytest.raises(StackError, match=r"^Storage: .*\Z"):
        backup.main([str(tmp_path / "ledger.gz")])


def test_where_storage_is_gone_a_restore_says_so(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    AzureTable(tables.present.client).insert("upload", "upload-1", {"id": "a"})
    assert backup.main([str(tmp_path / "ledger.gz")]) == 0
    address = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1", tables.service.url)
    gone = TableServiceClient(address, credential=tables.service.credential, retry_total=0)
    monkeypatch.setattr(place, "tables_to_fill", lambda state: Tables(gone, "ledger"))
    with pytest.raises(StackError):
        restore.main([str(tmp_path / "ledger.gz"), "--over"])


def test_where_no_file_can_be_made_a_backup_says_so(tables: Tables, tmp_path: Path) -> None:
    file = tmp_path / "none" / "ledger.gz"
    with pytest.raises(StackError, match=f"^{file} cannot be written: No such file or directory\\.$"):
        backup.main([str(file)])


def test_the_embedded_storage_is_started_alone_and_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(place.ADDRESS, raising=False)
    only_two_parts(monkeypatch)
    file, stack = tmp_path / "ledger.gz", Stack(tmp_path / "state")
    row = Copied(table=PRESENT, partition="upload", row="upload-1", value={"id": "a"})
    recovery_file.write(file, recovery_file.Head(taken="now", release="1"), [row])
    arguments = [str(file), "--state", str(stack.state)]
    stack.prepare()
    sleeping = [sys.executable, "-c", "import time; time.sleep(1000)"]
    host = processes.start(sleeping, directory=tmp_path, log=tmp_path / "log", env=dict(os.environ))
    try:
        stack.started("host", host)
        with pytest.raises(StackError, match=r"the app runs in .*: `\./dev down` first"):
            restore.main(arguments)
        assert host.stop(seconds=5)
        assert restore.main(arguments) == 0
        (there,) = place.tables(stack.state).present.everything()
        assert there.value == {"id": "a"}
        assert Stack(stack.state).process("events") is None
    finally:
        host.stop(seconds=5)
        supervisor.down(Stack(stack.state))
