"""Reading the access log: which lines write a blob, and where reading goes on after rotations."""

from __future__ import annotations

from pathlib import Path

import pytest

from localazure.events.access_log import AccessLog, blob_write
from localazure.events.journal import Delivery, Journal, Place

STAMP = "127.0.0.1 - - [24/Nov/2026:09:30:00 +0000]"


@pytest.mark.parametrize(
    ("request_and_status", "api"),
    [
        ('"PUT /devstoreaccount1/incoming/a.csv HTTP/1.1" 201 -', "PutBlob"),
        ('"PUT /devstoreaccount1/incoming/a/b%20c.csv?sv=1&sig=x HTTP/1.1" 201 -', "PutBlob"),
        ('"PUT /devstoreaccount1/incoming/a.csv?comp=blocklist HTTP/1.1" 201 -', "PutBlockList"),
        ('"PUT /devstoreaccount1/incoming/a.csv HTTP/1.1" 202 -', "CopyBlob"),
        ('"PUT /devstoreaccount1/incoming/a.csv?comp=block&blockid=MQ== HTTP/1.1" 201 -', None),
        ('"PUT /devstoreaccount1/incoming/a.csv?comp=snapshot HTTP/1.1" 201 -', None),
        ('"PUT /devstoreaccount1/incoming?restype=container HTTP/1.1" 201 -', None),
        ('"PUT /devstoreaccount1/queue HTTP/1.1" 201 -', None),
        ('"PUT /devstoreaccount1/incoming/a.csv HTTP/1.1" 409 -', None),
        ('"GET /devstoreaccount1/incoming/a.csv HTTP/1.1" 200 -', None),
        ('"DELETE /devstoreaccount1/incoming/a.csv HTTP/1.1" 202 -', None),
    ],
)
def test_which_lines_write_a_blob(request_and_status: str, api: str | None) -> None:
    write = blob_write(f"{STAMP} {request_and_status}")
    assert (write.api if write else None) == api


def _read(log: AccessLog) -> list[str]:
    return [line for line, _ in log.new_lines() if not line.startswith("#")]


def _rotate(file: Path, header: str) -> None:
    for number in (2, 1):
        old = file.with_name(f"{file.name}.{number}")
        if old.exists():
            old.rename(file.with_name(f"{file.name}.{number + 1}"))
    file.rename(file.with_name(f"{file.name}.1"))
    file.write_text(f"{header}\n")


def test_reading_goes_on_across_rotations(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    file.write_text("# one\na\n")
    log = AccessLog(file, None)
    assert _read(log) == ["a"]
    with file.open("a") as more:
        more.write("b\nhalf")
    assert _read(log) == ["b"]
    with file.open("a") as more:
        more.write(" c\n")
    _rotate(file, "# two")
    with file.open("a") as more:
        more.write("d\n")
    _rotate(file, "# three")
    assert _read(log) == ["half c", "d"]
    assert _read(log) == []


def test_reading_starts_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    file.write_text("# one\na\nb\n")
    _rotate(file, "# two")
    assert _read(AccessLog(file, Place(log="# one", offset=len("# one\na\n")))) == ["b"]


def test_a_place_rotated_away_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "access.log"
    file.write_text("# new\nx\n")
    assert _read(AccessLog(file, Place(log="# long gone", offset=99))) == ["x"]
    assert "some may be lost" in capsys.readouterr().err


def test_the_journal_keeps_what_is_not_delivered(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    one = Delivery(queue="q", event="{}", due=10.0, expires=99.0)
    journal.record([one, one], Place(log="# a", offset=5))
    assert journal.next_sequence() == 1
    journal.settle(journal.due(10.0)[0])
    journal.close()
    again = Journal(tmp_path / "journal.sqlite")
    assert (again.place(), again.waiting(), again.next_sequence()) == (Place(log="# a", offset=5), 1, 2)
    again.postpone("q", 20.0)
    assert again.due(10.0) == []
    assert again.next_due() == 20.0
    again.close()
