"""Reads a file in columns where it is plainly written, several stretches at once; every other line is the strict reader's.

What comes out is what the strict reader (`shared.domain.tables.csv_reader`) and `RowCheck` give of the same bytes: rows,
lines, faults, counts. They decide on each line that is not plain or has a value that breaks a rule, and where they find
a row in one, on its whole stretch, so that there are not two opinions on what a row is; a test holds both together.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.domain.tables.column_check import ColumnCheck
from shared.domain.tables.contract import Column, Mend
from shared.domain.tables.csv_reader import Block, read_blocks
from shared.domain.tables.dialect import LONGEST, Header
from shared.domain.tables.mended import Mended
from shared.domain.tables.plain_csv import LF, Rows, odd_lines, read_plain

FIRST, LARGEST = 64 << 10, 1 << 20
"""Bytes of the first stretch and of later ones, which double: what is hopeless is known soon, and memory stays flat."""
MOST_ODD = 8
"""At most one line in so many may be none of a plain row; else reading them one by one takes more than it saves."""
ABREAST = min(4, os.cpu_count() or 1)
"""Stretches at the same time: Arrow and NumPy let other threads run."""
TYPES = {"integer": pa.int64(), "number": pa.float64(), "category": pa.string()}

Places = npt.NDArray[np.int64]
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Whole lines of a file."""

    data: bytes
    line: int
    """The first of them, as the file counts."""
    start: int
    """Its first byte in the file."""
    ends: int = 0
    """How many of them have their end."""
    rest: Iterable[bytes] = ()
    """What follows, where a line is too long to be held; the strict reader takes it from here."""

    @property
    def chunks(self) -> Iterable[bytes]:
        return self.rest or [self.data]


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The good rows of a stretch, typed, and its other lines."""

    columns: dict[str, Any]
    """Arrow arrays in the contract's order; of a category the distinct values are stored once."""
    lines: Places
    """The rows' lines in the file."""
    others: Sequence[Block]
    """Lines that hold no good row."""
    mended: Mended


def can_read(header: Header) -> bool:
    """Whether lines stand alone in such a file: else a stretch could begin within a record."""
    return header.newline == "\n" and not header.line_ends_in


class ColumnReader:
    """Knows where each column stands in a file of this header, and the texts that it has met so far."""

    def __init__(self, header: Header, columns: Sequence[Column], mend: Iterable[Mend]) -> None:
        self._header = header
        place = {name: at for at, name in enumerate(header.columns)}
        self._checks = [(column, place[column.name], ColumnCheck(column, [*mend])) for column in columns]

    def __call__(self, chunks: Iterable[bytes]) -> Iterator[tuple[Stretch, Columns | None]]:
        """Each stretch in order, with its columns; None where it is the strict reader's. chunks: from the first row on"""
        return _in_order(lambda stretch: (stretch, self._columns(stretch)), _stretches(chunks, self._header))

    def _columns(self, stretch: Stretch) -> Columns | None:
        kept, odd = stretch.data, list[int]()
        # So many lines at least: a row has its delimiters and its end.
        too_short = stretch.ends - len(kept) / self._header.width
        if stretch.rest or too_short * MOST_ODD > stretch.ends:
            return None
        rows = read_plain(kept, self._header, other_width=odd, most=stretch.ends // MOST_ODD + 1)
        lines = len(odd) + len(rows) if rows else 0
        if rows is None:
            mask = odd_lines(kept, self._header)
            odd, lines = np.flatnonzero(mask).tolist(), len(mask)
            if len(odd) * MOST_ODD <= lines:
                kept = _without(kept, mask)
                rows = read_plain(kept, self._header)
        if (
            rows is None
            or len(odd) * MOST_ODD > lines
            or (odd and odd[-1] == lines - 1 and not _is_whole(stretch))
        ):
            return None
        numbers = stretch.line + np.delete(np.arange(lines), odd)
        texts = stretch.data.split(b"\n") if odd else []
        return self._checked(rows, numbers, [(stretch.line + at, texts[at]) for at in odd])

    def _checked(self, rows: Rows, numbers: Places, odd: list[tuple[int, bytes]]) -> Columns:
        checked = [check(rows.cells.column(at)) for _, at, check in self._checks]
        good = np.ones(len(rows), dtype=np.bool_)
        for each in checked:
            if each.bad is not None:
                good &= ~each.bad
        whole = bool(good.all())
        mask = None if whole else good
        found: dict[str, Any] = {}
        mended: Mended = Counter()
        for (column, at, check), each in zip(self._checks, checked, strict=True):
            found[column.name] = check.array(each, mask).cast(_kept_as(column))
            times = each.mended
            if times and mask is not None:
                times = check.mended(rows.cells.column(at).dictionary.to_pylist(), each.codes[mask])
            mended.update({(column.name, how): n for how, n in times.items()})
        if not whole:
            bad = np.flatnonzero(~good).tolist()
            odd = sorted(
                [*odd, *((int(numbers[row]), rows.lines[row].as_py().lstrip(b"\r\n")) for row in bad)]
            )
        lines = numbers if whole else numbers[good]
        return Columns(columns=found, lines=lines, others=_strictly(odd, self._header), mended=mended)


def _kept_as(column: Column) -> Any:
    return pa.dictionary(pa.int32(), pa.string()) if column.type == "category" else TYPES[column.type]


def _is_whole(stretch: Stretch) -> bool:
    """Whether the last line has its end: where it lacks it the file may break off there, which only its end shows."""
    return stretch.data.endswith(b"\n")


def _without(data: bytes, odd: npt.NDArray[np.bool_]) -> bytes:
    lines = data.split(b"\n")
    return b"\n".join([*(lines[at] for at in np.flatnonzero(~odd).tolist()), b""])


def _strictly(lines: Sequence[tuple[int, bytes]], header: Header) -> list[Block]:
    """The strict reader's reading of single lines."""
    if not lines:
        return []
    numbers = [number for number, _ in lines]
    data = b"\n".join(text for _, text in lines) + b"\n"
    blocks = list(read_blocks([data], header, first_line=0, start=0))
    for block in blocks:
        block.lines = [numbers[line] for line in block.lines]
        block.broken = [replace(broken, line=numbers[broken.line]) for broken in block.broken]
    return blocks


def _stretches(chunks: Iterable[bytes], header: Header) -> Iterator[Stretch]:
    line, start, size, held = header.line + 1, header.end, FIRST, bytearray()
    left = iter(chunks)
    for chunk in left:
        held += chunk
        while len(held) >= size:
            cut = held.rfind(b"\n", 0, size) + 1 or held.find(b"\n", size) + 1
            if not cut:
                if len(held) <= size + LONGEST:
                    break  # the line may end with the next chunk
                yield Stretch(data=b"", line=line, start=start, rest=chain([bytes(held)], left))
                return
            data = bytes(held[:cut])
            ends = _line_ends(data)
            yield Stretch(data=data, line=line, start=start, ends=ends)
            del held[:cut]
            line, start, size = line + ends, start + cut, min(2 * size, LARGEST)
    if held:
        yield Stretch(data=bytes(held), line=line, start=start, ends=_line_ends(held))


def _line_ends(data: bytes | bytearray) -> int:
    return int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) == LF))


def _in_order(do: Callable[[T], R], things: Iterable[T]) -> Iterator[R]:
    """What is done with each thing, in their order, some of them at the same time."""
    if ABREAST == 1:
        yield from map(do, things)
        return
    with ThreadPoolExecutor(ABREAST, thread_name_prefix="columns") as pool:
        under_way = deque[Any]()
        for thing in things:
            under_way.append(pool.submit(do, thing))
            if len(under_way) > ABREAST:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
