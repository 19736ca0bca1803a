"""`./dev backup` and `./dev restore`, from storage to a file and back: what they print, and what they refuse."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient

from commands import backup, restore
from commands.recovery import place
from commands.recovery.tables import Tables
from commands.stack.errors import StackError
from shared.adapters.tables import AzureTable


@pytest.fixture
def tables(azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    service, name = TableServiceClient.from_connection_string(azurite), f"ledger{secrets.token_hex(4)}"
    made = Tables(service, name)
    for each in (name, f"{name}now"):
        service.create_table(each)
    monkeypatch.setattr(place, "tables", lambda state: made)
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
