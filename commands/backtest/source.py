"""The bank's calls of 2008 to 2010 in the order of time: a file of yours, the cached copy, or UCI's archive."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from pathlib import Path
from urllib.request import urlopen

from commands import ROOT
from commands.stack.errors import StackError

CACHE = ROOT / ".data" / "bank-additional-full.csv"
ARCHIVE = "https://archive.ics.uci.edu/static/public/222/bank+marketing.zip"
ARCHIVE_MEMBER = ("bank-additional.zip", "bank-additional/bank-additional-full.csv")
"""A zip in the zip."""
ROWS, DEPOSITS = 41_188, 4_640
"""What the set's page says it holds, and how many of them are "yes"."""
PATIENCE = 30.0
GZIP = b"\x1f\x8b"


def find(given: Path | None) -> tuple[bytes, str]:
    """The file's bytes as CSV, and where they came from, in words.

    raises: StackError when there is no such file, or UCI's archive is not reached or holds something else
    """
    if given is not None:
        return _read(given), given.name
    if not CACHE.exists():
        data = _from_archive()
        CACHE.parent.mkdir(exist_ok=True)
        part = CACHE.with_suffix(".part")
        part.write_bytes(data)
        part.replace(CACHE)
    return CACHE.read_bytes(), "UCI Bank Marketing, bank-additional-full.csv"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(file: Path) -> bytes:
    try:
        data = file.read_bytes()
        return gzip.decompress(data) if data.startswith(GZIP) else data
    except (OSError, EOFError) as problem:
        raise StackError(f"--data {file} cannot be read: {problem}") from problem


def _from_archive() -> bytes:
    try:
        with urlopen(ARCHIVE, timeout=PATIENCE) as reply:
            data: bytes = reply.read()
        for member in ARCHIVE_MEMBER:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                data = archive.read(member)
    except (OSError, KeyError, zipfile.BadZipFile) as problem:
        raise StackError(
            f"The history comes from {ARCHIVE}, which gave nothing to use: {problem}.\n"
            f"On a machine without a way there, fetch {ARCHIVE_MEMBER[1]} elsewhere and give it with --data FILE"
            " (.csv or .csv.gz)."
        ) from problem
    return checked(data)


def checked(data: bytes) -> bytes:
    """raises: StackError when these are not the rows that the set's page describes"""
    lines = data.splitlines()[1:]
    rows, deposits = len(lines), sum(line.endswith((b'"yes"', b";yes")) for line in lines)
    if (rows, deposits) != (ROWS, DEPOSITS):
        raise StackError(
            f"{ARCHIVE} gave {rows:,} rows, {deposits:,} of them deposits, where {ROWS:,} and {DEPOSITS:,} are"
            " known: give a file of yours with --data FILE."
        )
    return data
