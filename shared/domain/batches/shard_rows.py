"""A shard's records as columns: the file's text, the model's features, and the faults of rejected records."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.domain.batches.shard_plan import ShardPlan, sound_cut
from shared.domain.tables.column_check import ColumnCheck
from shared.domain.tables.contract import Contract
from shared.domain.tables.csv_reader import Block, Broken, read_blocks
from shared.domain.tables.dialect import Header
from shared.domain.tables.mended import Mended
from shared.domain.tables.plain_csv import TEXT, Rows, read_plain
from shared.domain.tables.row_check import as_a_whole

PIECE_BYTES = 4 << 20
"""A shard is read in pieces of this size: its rows take several times the room of its bytes."""
RETRY_BYTES = 256 << 10
"""A piece that is not plainly written is tried again in pieces of this size, so that one odd line slows but one."""


@dataclass(frozen=True, kw_only=True)
class ShardRows:
    """Consecutive records, checked."""

    rows: Rows
    good: npt.NDArray[np.bool_]
    """By record: whether the model can score it."""
    features: Any
    """Record batch: the good records as the model takes them, in order."""
    problems: dict[int, str]
    """By record that is not good: all that is wrong with it."""
    mended: Mended
    """What was mended in the features, good record or not."""

    def __len__(self) -> int:
        return len(self.rows)


def read_shard(data: bytes, plan: ShardPlan) -> Iterator[ShardRows]:
    """The shard's records in order, piece by piece; the same pieces at each reading, here or on a cluster."""
    check = _Check(plan.header, plan.contract)
    for piece in _pieces(data, plan.header, PIECE_BYTES):
        for rows, broken in _read(piece, plan.header):
            yield check(rows, broken)


def _read(data: bytes, header: Header) -> Iterator[tuple[Rows, dict[int, str]]]:
    """Records, and those among them that cannot be taken apart, by their place, with the reason."""
    plain = read_plain(data, header)
    if plain is not None:
        yield plain, {}
        return
    for piece in _pieces(data, header, RETRY_BYTES):
        plain = read_plain(piece, header) if len(piece) < len(data) else None
        found = (plain, {}) if plain is not None else _read_strictly(piece, header)
        if len(found[0]):
            yield found


def _pieces(data: bytes, header: Header, size: int) -> Iterator[bytes]:
    """Of about that size, each from one sound line on to another."""
    start = 0
    while start < len(data):
        rest = memoryview(data)[start + size - 1 :]
        cut = sound_cut(bytes(rest[: RETRY_BYTES + 1]), header, last=len(rest) <= RETRY_BYTES + 1)
        end = len(data) if cut is None else start + size - 1 + cut
        yield data[start:end]
        start = end


class _Check:
    """The contract's features, where they stand in the file, and what was found out of their texts so far."""

    def __init__(self, header: Header, contract: Contract) -> None:
        self._header = header
        self._checks = [ColumnCheck(column, contract.mend) for column in contract.features]
        self._places = [header.columns.index(column.name) for column in contract.features]

    def __call__(self, rows: Rows, broken: dict[int, str]) -> ShardRows:
        good = np.ones(len(rows), dtype=np.bool_)
        good[list(broken)] = False
        checked = [check(rows.cells.column(at)) for check, at in zip(self._checks, self._places, strict=True)]
        for column in checked:
            if column.bad is not None:
                good &= ~column.bad
        problems = dict(broken)
        for row in np.flatnonzero(~good).tolist():
            if row not in broken:
                faults = [
                    column.fault(row) for column in checked if column.bad is not None and column.bad[row]
                ]
                cells = [column[row].as_py() for column in rows.cells.columns]
                whole = as_a_whole(cells, self._header, faulty=len(faults), checked=len(checked))
                problems[row] = whole.message if whole else "; ".join(faults)
        mask = None if good.all() else good
        arrays = [check.array(column, mask) for check, column in zip(self._checks, checked, strict=True)]
        features = pa.record_batch(arrays, names=[check.name for check in self._checks])
        mended: Mended = Counter()
        for check, column in zip(self._checks, checked, strict=True):
            mended.update({(check.name, how): records for how, records in column.mended.items()})
        return ShardRows(rows=rows, good=good, features=features, problems=problems, mended=mended)


def _read_strictly(data: bytes, header: Header) -> tuple[Rows, dict[int, str]]:
    """Record by record, whatever the data are; a record that cannot be taken apart is its raw text in one cell."""
    records: list[tuple[int, str, Sequence[str], str]] = []
    for block in read_blocks([data], header, first_line=1, start=0):
        records += sorted(_records(block, header), key=lambda record: record[0])
    end = header.line_end
    texts = [(end if at else "") + text for at, (_, text, _, _) in enumerate(records)]
    columns = zip(*(cells for _, _, cells, _ in records), strict=True) if records else [()] * header.width
    cells = pa.record_batch(
        [pa.array(column, type=pa.string()).dictionary_encode().cast(TEXT) for column in columns],
        names=list(header.names),
    )
    broken = {at: reason for at, (_, _, _, reason) in enumerate(records) if reason}
    lines = pa.array([text.encode() for text in texts], type=pa.binary())
    return Rows(lines=lines, cells=cells), broken


def _records(block: Block, header: Header) -> Iterator[tuple[int, str, Sequence[str], str]]:
    """Line, text to write, cells, and what is wrong."""
    for line, text, cells in zip(block.lines, block.texts, block.rows, strict=True):
        yield line, text.rstrip("\r"), cells, ""
    for broken in block.broken:
        cells = [broken.raw] + [""] * (header.width - 1)
        yield broken.line, _written(cells, header), cells, _reason(broken)


def _reason(broken: Broken) -> str:
    return f"{broken.rule} ({broken.remedy})"


def _written(cells: Sequence[str], header: Header) -> str:
    out = io.StringIO()
    # With CRLF the csv module also quotes a lone CR in a cell, which it otherwise does from 3.13 on only.
    csv.writer(out, delimiter=header.delimiter, lineterminator="\r\n").writerow(cells)
    return out.getvalue().removesuffix("\r\n")
