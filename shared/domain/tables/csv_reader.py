"""Reads a CSV of any size in blocks of records, accounting for every physical line.

What a record is
- A line that is well-formed CSV by itself is a record, whatever stands before or after it.
- A line that opens a quote without closing it goes on over the next lines, where the contract has columns that may
  hold line ends, and if that gives a record of the right width with line ends in none but those, within `LONGEST`
  bytes and `MOST_LINES` lines, none of them a record of that width by itself.
- Any other line is broken, by itself, and reading goes on at the next line. So a stray quote costs its own
  line and never its neighbours.
- Empty lines are counted and are no records.

Hence each physical line is in exactly one record, or broken, or empty; and reading on from any record's start
gives the same records as reading from the top, which is what lets a file be cut into shards.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, chain

from shared.domain.tables.dialect import LONGEST, Header

BLOCK = 64 * 1024
"""Bytes read at a time, about: few enough to stay in the processor's cache."""
MOST_LINES = 100
"""Lines a record may have."""

OPEN_QUOTE = 'a quote (") is opened and not closed'
QUOTE_INSIDE = 'a quote (") stands inside a quoted value'
QUOTE_UNQUOTED = 'a quote (") stands inside a value without quotes'
RETURN_INSIDE = "mixed line ends: a CR stands inside the line"
BREAKS_OFF = "the file breaks off here: "
AFTER_EMPTY = ", after an empty line: another table, or a note, begins here"
"""Added where a file is read from its top: a shard does not see the line above its first."""
NOT_UTF8 = "bytes that are not UTF-8"
NUL_BYTE = "a NUL byte"
OTHER_WIDTH = "expected "
TOO_LONG = f"longer than {LONGEST} bytes"

REMEDIES = {
    OPEN_QUOTE: "remove the quote, or close it on the same line",
    QUOTE_INSIDE: 'remove the quote, or double it ("")',
    QUOTE_UNQUOTED: 'remove the quote, or put the value in quotes and double the quote ("") in it',
    RETURN_INSIDE: "end every line of the file in the same way",
    NOT_UTF8: "save the file as CSV UTF-8",
    NUL_BYTE: "remove it; the export may have broken off here",
    TOO_LONG: "a line end may be missing here",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """A physical line that is no record of the table."""

    line: int
    rule: str
    raw: str

    @property
    def remedy(self) -> str:
        if self.rule.startswith(BREAKS_OFF):
            return "the last line lacks its end; send the whole file again"
        if self.rule.endswith(AFTER_EMPTY):
            return "give each table a file of its own, and notes none"
        return REMEDIES.get(self.rule, "give each column one value; quote values that hold the delimiter")


@dataclass(kw_only=True)
class Block:
    """The records of some consecutive lines."""

    rows: list[list[str]] = field(default_factory=list)
    """Each as wide as the header."""
    texts: list[str] = field(default_factory=list)
    """The rows as they stand in the file, without the last line end."""
    lines: Sequence[int] = ()
    """The rows' (first) physical lines."""
    broken: list[Broken] = field(default_factory=list)
    left_out: Collection[int] = ()
    """Rows, by their place, that are none of the table's; their lines are among the blank ones."""
    blank_lines: int = 0
    line_starts: list[int] | None = None
    data: bytes = b""
    start: int = 0
    first_line: int = 0

    @property
    def records(self) -> int:
        return len(self.rows) - len(self.left_out) + len(self.broken)

    def starts(self, newline: str) -> list[tuple[int, int]]:
        """Line and first byte (in the file) of each record, in order; costs a pass over the bytes."""
        starts = self.line_starts
        if starts is None:
            lengths = (len(line) + 1 for line in self.data.split(newline.encode()))
            starts = list(accumulate(lengths, initial=self.start))
        lines = sorted([*self.lines, *(each.line for each in self.broken)])
        return [(line, starts[line - self.first_line]) for line in lines]


def read_blocks(
    chunks: Iterable[bytes], header: Header, *, first_line: int | None = None, start: int | None = None
) -> Iterator[Block]:
    """The records after the header, or from byte `start`, which is the beginning of line `first_line`.

    chunks: bytes in pieces of any size; memory does not grow with the file, nor with its longest line.
    """
    reader = _Reader(header)
    line = header.line + 1 if first_line is None else first_line
    held = _Stretch(data=b"", start=header.end if start is None else start)
    for stretch in _stretches(chunks, header.newline.encode(), held.start):
        whole = _Stretch(data=held.data + stretch.data, start=held.start, cut_off=stretch.cut_off)
        block, used = reader.block(whole, line, final=False)
        rest = whole.data[used:]
        held = _Stretch(data=rest, start=whole.start + used + (0 if rest else whole.cut_off))
        line += whole.data.count(reader.newline, 0, used)
        yield block
    if held.data:
        block, _ = reader.block(held, line, final=True)
        yield block


def stands_alone(line: bytes, header: Header) -> bool:
    """Whether the physical line, without its line end, is a record whatever stands before and after it."""
    return not isinstance(_Reader(header).alone(line), str)


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    """Whole lines of the file; only the file's last may lack its end."""

    data: bytes
    start: int
    cut_off: int = 0
    """Bytes left out of the last line, which is far too long to be held."""


def _stretches(chunks: Iterable[bytes], newline: bytes, start: int) -> Iterator[_Stretch]:
    held, dropped = b"", 0
    for piece in _pieces(chunks):
        rest = piece
        if dropped:
            end = piece.find(newline) + 1
            if not end:
                dropped += len(piece)
                continue
            yield _Stretch(data=held + newline, start=start, cut_off=dropped + end - 1)
            start += len(held) + dropped + end
            held, dropped, rest = b"", 0, piece[end:]
        held += rest
        cut = held.rfind(newline) + 1
        if cut:
            yield _Stretch(data=held[:cut], start=start)
            held, start = held[cut:], start + cut
        if len(held) > LONGEST + 1:
            held, dropped = held[: LONGEST + 1], len(held) - LONGEST - 1
    if held:
        yield _Stretch(data=held, start=start, cut_off=dropped)


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of a good size to work on."""
    held = bytearray()
    for chunk in chunks:
        for at in range(0, len(chunk), BLOCK):
            held += chunk[at : at + BLOCK]
            if len(held) >= BLOCK:
                yield bytes(held)
                held.clear()
    if held:
        yield bytes(held)


class _Reader:
    """Takes stretches apart by the header's dialect."""

    def __init__(self, header: Header) -> None:
        self.width = header.width
        self.newline = header.newline.encode()
        self._line_end = header.newline
        self._options = header.reader_options()
        self._well_quoted = _well_quoted(header.delimiter)
        self._with_line_ends = [at for at, name in enumerate(header.columns) if name in header.line_ends_in]

    def block(self, stretch: _Stretch, first_line: int, *, final: bool) -> tuple[Block, int]:
        """The stretch's records, and how many of its bytes they took: the rest waits for the next stretch."""
        plain = None if stretch.cut_off else self._plain(stretch, first_line)
        if plain is not None:
            return plain, len(stretch.data)
        return self._careful(stretch, first_line, final=final)

    def _plain(self, stretch: _Stretch, first_line: int) -> Block | None:
        """All lines at once, where each is a record by itself; None where one is not, or may not be."""
        try:
            text = stretch.data.decode()
        except UnicodeDecodeError:
            return None
        lines = text.split(self._line_end)
        if not lines[-1]:
            lines.pop()
        # A character is at most four bytes: lines this short need not be measured in bytes.
        if "\0" in text or len(max(lines, key=len, default="")) > LONGEST // 4:
            return None
        try:
            rows = list(csv.reader(lines, **self._options))
        except csv.Error:
            return None
        if len(rows) != len(lines) or ('"' in text and not self._all_well_quoted(rows, lines)):
            return None
        block = Block(rows=rows, texts=lines, lines=range(first_line, first_line + len(rows)))
        block.data, block.start, block.first_line = stretch.data, stretch.start, first_line
        if set(map(len, rows)) - {self.width}:
            self._part(block)
        return block

    def _all_well_quoted(self, rows: list[list[str]], lines: list[str]) -> bool:
        if '"' not in "".join(chain.from_iterable(rows)):  # as nearly always: each quote is around a value
            return True
        held = (line for row, line in zip(rows, lines, strict=True) if any('"' in cell for cell in row))
        return all(map(self._well_quoted, held))

    def _part(self, block: Block) -> None:
        """Takes the rows of another width out of the block."""
        good = []
        for at, row in enumerate(block.rows):
            if len(row) == self.width:
                good.append(at)
            elif not row:
                block.blank_lines += 1
            else:
                rule = self._width_rule(row)
                if at == len(block.rows) - 1 and not block.data.endswith(self.newline):
                    rule = self._broken_off(row, rule)
                block.broken.append(Broken(line=block.lines[at], rule=rule, raw=_shown(block.texts[at])))
        block.rows = [block.rows[at] for at in good]
        block.texts = [block.texts[at] for at in good]
        block.lines = [block.lines[at] for at in good]

    def _broken_off(self, row: Sequence[str], rule: str) -> str:
        return BREAKS_OFF + rule if len(row) < self.width else rule

    def _width_rule(self, row: Sequence[str]) -> str:
        # Bounded, so that a tally by rule cannot grow with the file.
        found = str(len(row)) if len(row) <= 2 * self.width else f"more than {2 * self.width}"
        return f"{OTHER_WIDTH}{self.width} values, found {found}"

    def _careful(self, stretch: _Stretch, first_line: int, *, final: bool) -> tuple[Block, int]:
        """Line by line, as the module's docstring describes."""
        lines = stretch.data.split(self.newline)
        if not lines[-1]:
            lines.pop()
        numbers: list[int] = []
        offsets = list(accumulate((len(line) + 1 for line in lines), initial=0))
        block = Block(
            lines=numbers, first_line=first_line, line_starts=[stretch.start + at for at in offsets]
        )
        at = 0
        while at < len(lines):
            span = self._take(block, lines, at, numbers, final=final)
            if not span:
                return block, offsets[at]
            at += span
        return block, len(stretch.data)

    def _take(self, block: Block, lines: list[bytes], at: int, numbers: list[int], *, final: bool) -> int:
        """Puts the record that begins at `at` into the block; returns its lines, 0 when more may follow."""
        if not lines[at].strip(b"\r\n"):
            block.blank_lines += 1
            return 1
        number = block.first_line + at
        row, span = self.alone(lines[at]), 1
        if row == OPEN_QUOTE and self._with_line_ends:
            row, span = self._spanning(lines, at, final=final)
            if not span:
                return 0
        if isinstance(row, str):
            block.broken.append(Broken(line=number, rule=row, raw=_shown(lines[at][: LONGEST + 1])))
            return 1
        block.rows.append(row)
        block.texts.append(self.newline.join(lines[at : at + span]).decode())
        numbers.append(number)
        return span

    def alone(self, line: bytes) -> list[str] | str:
        """The line as a record, or the rule it breaks."""
        text, rule = _decoded(line)
        if rule:
            return rule
        try:
            row = next(csv.reader([text], **self._options))
        except csv.Error as error:
            return _rule(error)
        if any('"' in cell for cell in row) and not self._well_quoted(text):
            return QUOTE_UNQUOTED
        return row if len(row) == self.width else self._width_rule(row)

    def _spanning(self, lines: list[bytes], at: int, *, final: bool) -> tuple[list[str] | str, int]:
        """The record of several lines that begins at `at`; span 0: more lines are needed to decide."""
        taken, outrun = 0, False

        def feed() -> Iterator[str]:
            nonlocal taken, outrun
            size = 0
            for line in lines[at : at + MOST_LINES]:
                size += len(line) + 1
                text, rule = _decoded(line)
                stray = taken and not isinstance(self.alone(line), str)
                if stray or size > LONGEST or rule:
                    return
                taken += 1
                yield text + self._line_end
            outrun = at + MOST_LINES > len(lines)

        try:
            row = next(csv.reader(feed(), **self._options))
        except csv.Error:
            row = []
        if len(row) == self.width and self._ends_in_place(row):
            return row, taken
        return OPEN_QUOTE, 0 if outrun and not final else 1

    def _ends_in_place(self, row: Sequence[str]) -> bool:
        """Whether no value holds a line end but those that may."""
        return not any(
            self._line_end in cell for at, cell in enumerate(row) if at not in self._with_line_ends
        )


@cache
def _well_quoted(delimiter: str) -> Callable[[str], object]:
    """Whether each quote in a line is around a value or doubled inside one: the csv module reads any other as a letter
    where the value has none around it, even when it is to be strict."""
    value = rf'(?:"(?:[^"]++|"")*+"|[^"{re.escape(delimiter)}]*+)'
    return re.compile(rf"{value}(?:{re.escape(delimiter)}{value})*+[\r\n]*").fullmatch


def _decoded(line: bytes) -> tuple[str, str]:
    """The line as text, and the rule it breaks if any."""
    if len(line) > LONGEST:
        return "", TOO_LONG
    if b"\0" in line:
        return "", NUL_BYTE
    try:
        return line.decode(), ""
    except UnicodeDecodeError:
        return "", NOT_UTF8


def _rule(error: csv.Error) -> str:
    """What the csv module found, in our words; a test pins those of CPython."""
    message = str(error)
    if "unexpected end of data" in message:
        return OPEN_QUOTE
    if "expected after" in message:
        return QUOTE_INSIDE
    if "new-line character" in message:
        return RETURN_INSIDE
    return f"no CSV ({message})"


def _shown(text: str | bytes) -> str:
    """A broken line as text: bytes that are none stand as \\xNN."""
    plain = text if isinstance(text, str) else text.decode("utf-8", "backslashreplace")
    return plain.rstrip("\r\n").replace("\0", "\\x00")
