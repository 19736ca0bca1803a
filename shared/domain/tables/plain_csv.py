"""Takes a stretch of plainly written CSV apart at the machine's speed, or says that it is not plain.

Plain: UTF-8, one way to end lines, each line a record of the right width, quotes only around whole values. There,
and only there, Arrow's lenient reader and the strict one (`shared.domain.tables.csv_reader`) agree; a test holds them
together. Whatever is not plain is left to the strict one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from shared.domain.tables.dialect import BOM, LONGEST, Header

LF, CR, QUOTE = 0x0A, 0x0D, 0x22
TEXT = pa.dictionary(pa.int32(), pa.string())
"""A column of texts, each distinct one stored once: what a rule says of a text, it says once."""

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Consecutive records of a file, as columns."""

    lines: Any
    """Binary array: each record as it stands, led by the line end before it (the first by none)."""
    cells: Any
    """Record batch of type `TEXT`: the file's columns in their order."""

    def __len__(self) -> int:
        return int(self.cells.num_rows)


def read_plain(
    data: bytes, header: Header, *, other_width: list[int] | None = None, most: int = 0
) -> Rows | None:
    """The records of whole lines; None when they are not written plainly. data: at most 2 GiB

    other_width: takes the places of lines that have another number of values, which are left out then; most: so many
    """
    if header.newline != "\n" or b"\0" in data or data.startswith(BOM) or not data or not _is_text(data):
        return None
    if not data.endswith(b"\n"):  # only a file's last line may lack its end
        data += header.line_end.encode()
    octets = np.frombuffer(data, dtype=np.uint8)
    line_ends = np.flatnonzero(octets == LF)
    shortest = 0 if other_width is not None else 1  # Arrow takes an empty line for a row of one value
    if not _lines_are_plain(data, octets, line_ends, header, shortest) or not _quotes_are_plain(
        data, octets, line_ends, header
    ):
        return None
    cells = _cells(data, header, other_width, most)
    if cells is None or cells.num_rows + len(other_width or ()) != len(line_ends):
        return None
    lines = _lines(data, line_ends - header.crlf)
    if other_width:
        lines = lines.take(pa.array(np.delete(np.arange(len(line_ends)), other_width)))
    return Rows(lines=lines, cells=cells)


def odd_lines(data: bytes, header: Header) -> npt.NDArray[np.bool_]:
    """By line, whether it keeps the data from being plain, as far as that is quickly seen; what is left may be plain.

    data: whole lines, one at least; of the file's last the end may be missing
    """
    if not data.endswith(b"\n"):
        data += header.line_end.encode()
    octets = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(octets == LF)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts
    quotes = np.add.reduceat(octets == QUOTE, starts, dtype=np.int64)
    returns = np.add.reduceat(octets == CR, starts, dtype=np.int64)
    odd: npt.NDArray[np.bool_] = (lengths - header.crlf <= 0) | (lengths > LONGEST) | (quotes % 2 == 1)
    odd |= np.add.reduceat(octets == 0, starts, dtype=np.int64) > 0
    odd |= (returns != 1) | (octets[ends - 1] != CR) if header.crlf else returns > 0
    for at in np.flatnonzero(np.add.reduceat(octets >= 0x80, starts, dtype=np.int64)).tolist():
        odd[at] |= not _is_text(data[starts[at] : ends[at]])
    delimiter = ord(header.delimiter)
    marks = np.flatnonzero(octets == QUOTE)
    opens = (marks == 0) | np.isin(octets[marks - 1], (delimiter, LF))
    closes = np.isin(octets[marks + 1], (delimiter, LF, CR))
    odd[np.searchsorted(ends, marks[~opens & ~closes])] = True
    within = np.cumsum(np.where(np.repeat(odd, lengths + 1), 0, octets == QUOTE)) % 2
    delimiters = np.add.reduceat((octets == delimiter) & (within == 0), starts, dtype=np.int64)
    odd |= delimiters != header.width - 1
    return odd


def _is_text(data: bytes) -> bool:
    """Whether it is UTF-8: Arrow would decode a row of another width before it asks what to do with it, and have a
    traceback printed of one that is none."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lines_are_plain(data: bytes, octets: Any, line_ends: Places, header: Header, shortest: int) -> bool:
    if not header.crlf and b"\r" in data:
        return False
    if header.crlf and (
        np.count_nonzero(octets == CR) != len(line_ends) or not (octets[line_ends - 1] == CR).all()
    ):
        return False
    lengths = np.diff(line_ends, prepend=-1) - 1 - header.crlf
    return bool(lengths.min() >= shortest and lengths.max() <= LONGEST)


def _quotes_are_plain(data: bytes, octets: Any, line_ends: Places, header: Header) -> bool:
    """Whether every quote opens a value at its beginning or closes it at its end, on the same line."""
    if b'"' not in data:
        return True
    quotes = np.flatnonzero(octets == QUOTE)
    if len(quotes) % 2:
        return False
    opened, closed = quotes[::2], quotes[1::2]
    before = np.where(opened > 0, octets[opened - 1], LF)
    after = octets[closed + 1]  # the data ends with a line end
    delimiter = ord(header.delimiter)
    return bool(
        ((before == delimiter) | (before == LF)).all()
        and ((after == delimiter) | (after == (CR if header.crlf else LF))).all()
        and (np.searchsorted(quotes, line_ends) % 2 == 0).all()  # no line ends within quotes
    )


def _cells(data: bytes, header: Header, other_width: list[int] | None, most: int) -> Any:
    names = [str(place) for place in range(header.width)]

    def left_out(row: Any) -> str:
        if other_width is None or len(other_width) == most:
            return "error"
        other_width.append(row.number - 1)
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
            arrow_csv.ParseOptions(
                delimiter=header.delimiter, ignore_empty_lines=False, invalid_row_handler=left_out
            ),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, TEXT), strings_can_be_null=False),
        )
    except pa.ArrowInvalid:  # another width somewhere
        return None
    columns = [table.column(place).combine_chunks() for place in range(header.width)]
    columns = [column.chunk(0) if isinstance(column, pa.ChunkedArray) else column for column in columns]
    return pa.record_batch(columns, names=list(header.names))


def _lines(data: bytes, ends: Places) -> Any:
    """Slices of the data, one before each end; nothing is copied."""
    offsets = np.concatenate(([0], ends)).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.binary(), len(ends), buffers)
