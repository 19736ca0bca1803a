"""Where the demo's rows come from: the archive is taken when it holds the rows we know, and nothing else is."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from commands.setup import bank_rows

ROWS = b'"age";"job";"y"\n30;"admin.";"no"\n41;"student";"yes"\n'
SAME_ROWS = b"id,age,job,y\n0,41,student,yes\n1,30,admin.,no\n"


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


@pytest.fixture
def archive() -> Iterator[tuple[str, dict[str, bytes]]]:
    """An address, and what it serves under `body`."""
    served = {"body": zipped("bank.zip", zipped("bank.csv", ROWS))}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(served["body"])

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/bank.zip", served
        server.shutdown()


def test_the_rows_count_not_how_they_are_written() -> None:
    assert bank_rows.rows_sha256(ROWS) == bank_rows.rows_sha256(SAME_ROWS)
    assert bank_rows.rows_sha256(ROWS) != bank_rows.rows_sha256(ROWS.replace(b"41", b"42"))


def test_the_archive_is_a_zip_in_a_zip(archive: tuple[str, dict[str, bytes]]) -> None:
    url, _ = archive
    known = bank_rows.rows_sha256(SAME_ROWS)
    assert bank_rows.checked(bank_rows.from_archive(url), known) == ROWS


def test_other_rows_are_not_taken(
    archive: tuple[str, dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, served = archive
    monkeypatch.setattr(bank_rows, "ARCHIVE", url)
    monkeypatch.setattr(bank_rows, "CACHE", tmp_path / "data" / "bank.csv")
    _, source = bank_rows.find(None)
    assert bank_rows.WHEEL in source
    assert "its rows have SHA-256" in capsys.readouterr().out
    served["body"] = b"<html>moved</html>"
    (tmp_path / "data" / "bank.csv").unlink()
    _, source = bank_rows.find(None)
    assert bank_rows.WHEEL in source


def test_a_file_of_yours_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(ROWS)
    assert bank_rows.find(file) == (file, f"your file {file}")
