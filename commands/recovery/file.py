"""The file of a backup: a compressed line of JSON a row, a head that says what it is, and an end that says it is whole."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from commands.recovery.snapshot import Copied
from commands.stack.errors import StackError

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Head:
    """What a backup is of."""

    taken: str
    """When, by storage's clock."""
    release: str
    """Of the code whose ledger it is, or which took it."""
    format: int = FORMAT


def write(file: Path, head: Head, rows: Iterable[Copied]) -> int:
    """Whole or not at all; returns: how many rows; raises: StackError where no file can be made there"""
    beside, count = file.with_name(f"{file.name}.new"), 0
    try:
        opened = beside.open("wb")
    except OSError as fault:
        raise StackError(f"{file} cannot be written: {fault.strerror}.") from fault
    with opened, gzip.GzipFile(fileobj=opened, mode="wb", mtime=0) as packed:
        packed.write(_line(asdict(head)))
        for row in rows:
            packed.write(_line([row.table, row.partition, row.row, row.value]))
            count += 1
        packed.write(_line({"rows": count}))
    beside.replace(file)
    return count


def read(file: Path) -> tuple[Head, list[Copied]]:
    """raises: StackError where it is no backup, of another format, or not whole"""
    try:
        head, *rows, end = _lines(file)
        found = Head(**head)
        copied = [Copied(table=t, partition=p, row=r, value=v) for t, p, r, v in rows]
        whole = end["rows"] == len(copied)
    except FileNotFoundError:
        raise StackError(f"{file} is missing.") from None
    except (OSError, EOFError, ValueError, TypeError, KeyError) as fault:
        raise StackError(f"{file} is no backup of a ledger, or not whole: {fault!r}") from fault
    if found.format != FORMAT:
        raise StackError(f"{file} has the format {found.format}; this release reads {FORMAT}.")
    if not whole:
        raise StackError(f"{file} is not whole: it has {len(copied)} of {end['rows']} rows.")
    return found, copied


def _lines(file: Path) -> Iterator[Any]:
    with gzip.open(file, "rt", encoding="utf-8") as opened:
        for line in opened:
            yield json.loads(line)


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
