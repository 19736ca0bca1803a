"""How a CSV is written: delimiter, line end and column names from its first line, or why it is no CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
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
    b"\xfd7zXZ\x00": "xz data; unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it first",
    b"BZh": "bzip2 data; unpack it first",
    b"\x28\xb5\x2f\xfd": "zstd data; unpack it first",
    b"Rar!\x1a\x07": "a RAR archive; unpack it first",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x89PNG\r\n\x1a\n": "a PNG picture; this door takes CSV only",
    b"\xff\xd8\xff": "a JPEG picture; this door takes CSV only",
    b"GIF8": "a GIF picture; this door takes CSV only",
    b"SQLite format 3\x00": "an SQLite database; this door takes CSV only",
    b"ARROW1": "Arrow; this door takes CSV only",
    b"ORC": "ORC; this door takes CSV only",
    b"Obj\x01": "Avro; this door takes CSV only",
    b"{\\rtf": "RTF; save it as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV UTF-8",
    b"PAR1": "Parquet; this door takes CSV only",
    b"%PDF": "a PDF; this door takes CSV only",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}

WORKBOOKS = {
    b"xl/": "an Excel workbook; save the sheet as CSV UTF-8",
    b"opendocument.spreadsheet": "an OpenDocument spreadsheet; save the sheet as CSV UTF-8",
}
"""What a zip archive is, by what stands in it."""
MARKUP = {
    b"<!doctype html": "an HTML page, as servers send in place of a file; fetch the file itself",
    b"<html": "an HTML page, as servers send in place of a file; fetch the file itself",
    b"<": "XML or HTML; this door takes CSV only",
    b"{": "JSON; this door takes CSV only",
    b"[": "JSON; this door takes CSV only",
}
"""What text is that begins so."""
SEP_LINE = re.compile(rb'"?sep=(.)"?', re.IGNORECASE)
"""The line by which Excel is told the delimiter."""


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
    known_as: tuple[str, ...] = ()
    """What the contract calls the columns, where it mends names; see `columns`."""
    sep_line: bool = False
    """Whether a line `sep=` stood above it, which was skipped."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What the contract calls the file's columns, in the file's order."""
        return self.known_as or self.names

    def is_again(self, cells: Sequence[str]) -> bool:
        """Whether a row is the header once more."""
        return cells[0].strip().endswith(self.names[0]) and tuple(map(clean_name, cells)) == self.names

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
        return {**vars(self), **{name: list(vars(self)[name]) for name in _LISTS}}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        lists: dict[str, Any] = {name: tuple(body[name]) for name in _LISTS if name in body}
        return cls(**{**body, **lists})


_LISTS = ("names", "line_ends_in", "known_as")


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
    other = _other_format(head)
    if other:
        return FileProblem(message=f"the file is {other}")
    start, sep = _text_start(head, 0), b""
    line, end = _line(head, start)
    found = SEP_LINE.fullmatch(line)
    if found and end:
        sep, start = found.group(1), _text_start(head, end)
        line, end = _line(head, start)
    if start == len(head):
        return FileProblem(message="the file is empty; a CSV with a header line is needed")
    if not end and not whole:
        return FileProblem(message=f"the first line is longer than {LONGEST} bytes; it is no CSV header")
    end = end or len(head)
    newline = _newline(head[start:end], head[end:])
    number = len(LINE_END.findall(head, 0, start)) + 1
    header = _parsed(line, newline, line=number, end=end, bom=head.startswith(BOM), sep=sep.decode("latin-1"))
    other = _delimited_otherwise(header, head[end:]) if isinstance(header, Header) else ""
    if other:
        return FileProblem(message=f"line {number}, the header, {other}; write all lines with one delimiter")
    ended = head[start:end]
    crlf = ended.endswith(b"\r\n") or (ended.endswith(b"\r") and newline == b"\n" and _is_crlf(head[end:]))
    return replace(header, crlf=crlf, sep_line=bool(sep)) if isinstance(header, Header) else header


LINE_END = re.compile(rb"\r+\n|\n|\r")
"""CR CR LF is what some programs make of CR LF."""


def _other_format(head: bytes) -> str:
    """What the file is in place of a CSV; empty when it may be one."""
    for magic, what in OTHER_FORMATS.items():
        if head.startswith(magic):
            inside = (kind for mark, kind in WORKBOOKS.items() if what.startswith("a zip") and mark in head)
            return next(inside, what)
    text = head.removeprefix(BOM).lstrip()[:20].lower()
    return next((what for mark, what in MARKUP.items() if text.startswith(mark)), "")


def _text_start(head: bytes, at: int) -> int:
    """Where the next line begins that is not empty."""
    while head.startswith((BOM, b"\r", b"\n"), at):
        at += len(BOM) if head.startswith(BOM, at) else 1
    return at


def _line(head: bytes, start: int) -> tuple[bytes, int]:
    """The line that begins there, without its end, and the byte after that; 0 when it does not end."""
    found = LINE_END.search(head, start)
    return (head[start : found.start()], found.end()) if found else (head[start:], 0)


def _newline(header: bytes, after: bytes) -> bytes:
    """How the rows end: where they end in another way than the header, as they do."""
    returns, feeds = after.count(b"\r") - after.count(b"\r\n"), after.count(b"\n")
    if header.endswith(b"\r"):
        return b"\n" if feeds and feeds >= returns else b"\r"
    return b"\r" if not feeds and returns > 1 else b"\n"


def _is_crlf(after: bytes) -> bool:
    return after[: after.find(b"\n") + 1].endswith(b"\r\n")


def _parsed(text: bytes, newline: bytes, *, line: int, end: int, bom: bool, sep: str) -> Header | FileProblem:
    if b"\0" in text:
        return FileProblem(message=f"line {line} has NUL bytes: UTF-16, or no text; save it as CSV UTF-8")
    try:
        decoded = text.decode().translate(INVISIBLE)  # a mark before a quote would be part of the value
    except UnicodeDecodeError as fault:
        where = f"line {line}, byte {fault.start + 1}"
        return FileProblem(message=f"{where}, is not UTF-8; save the file as CSV UTF-8")
    delimiter = (
        sep if sep and sep in DELIMITERS else max(DELIMITERS, key=lambda sign: len(split(decoded, sign)))
    )
    names = split(decoded, delimiter)
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


def _delimited_otherwise(header: Header, after: bytes) -> str:
    """What is to be said of rows that have as many values as the header by another delimiter only; empty mostly. A single
    such row among others is its own fault."""
    rows, end = [], 0
    for _ in range(2):
        line, end = _line(after, _text_start(after, end))
        rows += [line.decode(errors="replace")] if line else []
        if not end:
            break
    fitting = [
        sign for sign in DELIMITERS if rows and all(len(split(row, sign)) == header.width for row in rows)
    ]
    if header.width == 1 or not fitting or header.delimiter in fitting:
        return ""
    return f"is delimited by {header.delimiter!r} and the rows by {fitting[0]!r}"


def split(text: str, delimiter: str) -> list[str]:
    """The line's values; none when it is no CSV."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        return []
