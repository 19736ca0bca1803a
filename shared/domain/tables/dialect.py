"""How a CSV is written: delimiter, line end and column names from its first line, or why it is no CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Self

LONGEST = 64 * 1024
"""Bytes a record may have; a longer one is not read as a record, so no file can fill the memory."""

BOM = b"\xef\xbb\xbf"
INVISIBLE = str.maketrans("", "", "\ufeff\u200b\u200e\u200f\u2060")
"""Byte order marks and what else has no width: editors and joined files leave them, and nobody sees them."""
DELIMITERS = ";,\t|"

OTHER_FORMATS = {
    b"\x1f\x8b": "gzip data; unpack it first",
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it, or save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV UTF-8",
    b"PAR1": "Parquet; this door takes CSV only",
    b"%PDF": "a PDF; this door takes CSV only",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}


@dataclass(frozen=True, kw_only=True)
class FileProblem:
    """The file as a whole cannot be read as a CSV."""

    message: str


@dataclass(frozen=True, kw_only=True)
class Header:
    """The first line that is not empty, and how the rest is to be read."""

    names: tuple[str, ...]
    """Clean (`clean_name`): what a contract's columns are matched with, and looked up by."""
    delimiter: str
    newline: str
    r"""`\n` (for CRLF too) or, in files of very old machines, `\r`."""
    bom: bool
    line: int
    """Its physical line, the first being 1."""
    end: int
    """The byte after it."""
    crlf: bool = False
    """Whether it ends with CR and LF."""
    line_ends_in: tuple[str, ...] = ()
    """The columns whose values may hold line ends, by the contract: elsewhere a record is one line."""

    @property
    def line_end(self) -> str:
        return "\r\n" if self.crlf else self.newline

    @property
    def width(self) -> int:
        return len(self.names)

    def reader_options(self) -> dict[str, Any]:
        """Strict: a quote out of place is an error; by default the csv module merges rows over it."""
        return {"delimiter": self.delimiter, "strict": True}

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "names": list(self.names), "line_ends_in": list(self.line_ends_in)}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        lists: dict[str, Any] = {
            name: tuple(body[name]) for name in ("names", "line_ends_in") if name in body
        }
        return cls(**{**body, **lists})


def clean_name(text: str) -> str:
    """A column's name, or a header line, without what cannot be seen and the blanks around it."""
    return text.translate(INVISIBLE).strip()


def read_header(chunks: Iterable[bytes]) -> tuple[Header | FileProblem, Iterator[bytes]]:
    """The header, and the bytes that follow it."""
    source = iter(chunks)
    head = bytearray()
    for chunk in source:
        head += chunk
        if len(head) > LONGEST:
            break
    header = _header(bytes(head[: LONGEST + 1]), whole=len(head) <= LONGEST)
    if isinstance(header, FileProblem):
        return header, iter(())
    return header, chain((bytes(head[header.end :]),), source)


def _header(head: bytes, *, whole: bool) -> Header | FileProblem:
    for magic, what in OTHER_FORMATS.items():
        if head.startswith(magic):
            return FileProblem(message=f"the file is {what}")
    start = 0
    while head.startswith((BOM, b"\r", b"\n"), start):
        start += len(BOM) if head.startswith(BOM, start) else 1
    newline = _newline(head)
    if start == len(head):
        return FileProblem(message="the file is empty; a CSV with a header line is needed")
    end = head.find(newline, start) + 1
    if not end and not whole:
        return FileProblem(message=f"the first line is longer than {LONGEST} bytes; it is no CSV header")
    end = end or len(head)
    line = head[:start].count(newline) + 1
    header = _parsed(head[start:end].rstrip(b"\r\n"), newline, line=line, end=end, bom=head.startswith(BOM))
    crlf = head[start:end].endswith(b"\r\n")
    return replace(header, crlf=crlf) if isinstance(header, Header) else header


def _newline(head: bytes) -> bytes:
    found = re.search(rb"\r\n|\n|\r", head)
    return b"\r" if found and found.group() == b"\r" else b"\n"


def _parsed(text: bytes, newline: bytes, *, line: int, end: int, bom: bool) -> Header | FileProblem:
    if b"\0" in text:
        return FileProblem(message=f"line {line} has NUL bytes: UTF-16, or no text; save it as CSV UTF-8")
    try:
        decoded = text.decode().translate(INVISIBLE)  # a mark before a quote would be part of the value
    except UnicodeDecodeError as fault:
        where = f"line {line}, byte {fault.start + 1}"
        return FileProblem(message=f"{where}, is not UTF-8; save the file as CSV UTF-8")
    delimiter = max(DELIMITERS, key=lambda sign: len(_split(decoded, sign)))
    names = _split(decoded, delimiter)
    if not names:
        return FileProblem(message=f'line {line}, the header, has a quote (") out of place; mend the header')
    return Header(
        names=tuple(map(clean_name, names)),
        delimiter=delimiter,
        newline=newline.decode(),
        bom=bom,
        line=line,
        end=end,
    )


def _split(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        return []
