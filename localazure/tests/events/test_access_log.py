"""Reading the access log: which lines write a blob, and where reading goes on after rotations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from localazure.events.access_log import AccessLog, blob_change
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
        ('"PUT /devstoreaccount1/$logs/a HTTP/1.1" 201 -', None),
        ('"DELETE /devstoreaccount1/incoming/a.csv HTTP/1.1" 202 -', "DeleteBlob"),
        ('"DELETE /devstoreaccount1/incoming/a.csv?snapshot=x HTTP/1.1" 202 -', None),
        ('"DELETE /devstoreaccount1/incoming?restype=container HTTP/1.1" 202 -', None),
        ('"DELETE /devstoreaccount1/incoming/a.csv HTTP/1.1" 404 -', None),
        ('"DELETE /devstoreaccount1/queue/messages/1?popreceipt=x HTTP/1.1" 204 -', None),
    ],
)
def test_which_lines_write_or_delete_a_blob(request_and_status: str, api: str | None) -> None:
    change = blob_change(f"{STAMP} {request_and_status}")
    assert (change.api if change else None) == api
    told = blob_change(f'{STAMP} {request_and_status} {{"time": "2026-11-24T09:30:00.250Z", "eTag": "x"}}')
    assert (told.api if told else None) == api
    assert told is None or (told.etag, told.at.microsecond) == ("x", 250_000)


def test_a_line_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    line = f'{STAMP} "PUT /devstoreaccount1/incoming/a.csv HTTP/1.1" 201 - {{"time": "2026-11-24T0}}'
    change = blob_change(line)
    assert change
    assert (change.name, change.etag) == ("a.csv", None)


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
    one = Delivery(subscription="s", event="{}", published=9.0, due=10.0)
    journal.record([one, one, replace(one, subscription="other")], Place(log="# a", offset=5))
    assert journal.next_sequence() == 1
    first = journal.due("s", 10.0)
    assert first
    journal.settle(first)
    journal.close()
    again = Journal(tmp_path / "journal.sqlite")
    assert (again.place(), again.waiting()) == (Place(log="# a", offset=5), {"s": 1, "other": 1})
    assert again.next_sequence() == 2
    second = again.due("s", 10.0)
    assert second
    assert again.due("s", 10.0, but={second.number}) is None
    again.postpone(second, due=20.0, attempts=1, outcome="NotFound", attempted=10.0, reason="")
    assert again.due("s", 10.0) is None
    assert again.next_due("s") == 20.0
    found = again.due("s", 20.0)
    assert found
    assert (found.attempts, found.outcome) == (1, "NotFound")
    again.close()
