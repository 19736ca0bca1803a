"""Validation of a CSV against the contracts: typed columns of the good rows, the rejected with every rule they break.

    admission = check_rows(files.read(blob), contracts)            # "training" or "scoring"
    if admission.problem:                                          # no contract fits, or no CSV at all
        ...the whole file is refused: admission.problem says why and what to do
    for batch in admission.batches():                              # once, in order, memory flat
        batch.columns -> {"age": [56, ...], ...}                   # typed, in the contract's order
        batch.rejects -> [Reject(line, raw, faults), ...]
    admission.tally  -> Tally(records, accepted, rejected, ...)    # complete once the batches are exhausted

Every record is in exactly one batch, accepted or rejected: records == accepted + rejected.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.domain.tables import mended
from shared.domain.tables.contract import MENDS, Column, Contract, Purpose
from shared.domain.tables.csv_reader import AFTER_EMPTY, OTHER_WIDTH, Block, Broken, read_blocks
from shared.domain.tables.dialect import LONGEST, FileProblem, Header, read_header
from shared.domain.tables.header_match import HeaderProblem, explained, match, read_as
from shared.domain.tables.row_check import Checked, RowCheck, as_a_whole
from shared.domain.tables.values import Fault

if TYPE_CHECKING:
    from shared.domain.tables.columnar import Columns

HOPELESS = 10_000
"""A file none of whose first so many records, or empty lines, fits is read no further: the rest would say the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    """A record that is not admitted, with everything wrong with it."""

    line: int
    """Its (first) physical line in the file, the header's being 1 as a rule."""
    raw: str
    """As it stands in the file, without the line end."""
    faults: tuple[Fault, ...]

    @property
    def message(self) -> str:
        return f"line {self.line}: " + "; ".join(fault.message for fault in self.faults)

    def to_json(self) -> dict[str, Any]:
        """For the quarantine only: it holds a client's data."""
        return {"line": self.line, "raw": self.raw, "faults": [fault.to_json() for fault in self.faults]}


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some hundreds or thousands of consecutive records."""

    columns: dict[str, Any]
    """The accepted rows' typed values by column, in the contract's order, equally long: Arrow arrays of int64, float64 or
    string, these perhaps with each distinct value stored once."""
    lines: Any
    """The accepted rows' physical lines, by row."""
    rejects: list[Reject]
    blank_lines: int = 0

    @property
    def rows(self) -> int:
        return len(self.lines)


@dataclass(kw_only=True)
class Tally:
    """What became of the records; complete when the batches are exhausted."""

    records: int = 0
    accepted: int = 0
    rejected: int = 0
    blank_lines: int = 0
    cut_short: bool = False
    """Whether the rest was left unread, since none of the first `HOPELESS` records fits."""
    mended: list[dict[str, Any]] = field(default_factory=list)
    """What was mended on reading, as the contract says: column (empty for the file), how, and how many values."""
    by_rule: dict[str, int] = field(default_factory=dict)
    """How many faults of each kind, as `column: rule`; a record may have several."""
    content_hash: str = ""
    """Of the accepted rows' typed values in order; 64 hex digits. Delimiter, quotes, line ends, the order of
    the file's columns and the spelling of numbers do not change it."""
    source_sha256: str = ""
    """Of the file's bytes; empty when they were not all read."""
    source_bytes: int = 0

    @property
    def refusal(self) -> str:
        """Why there is nothing to admit, though the header was fine; empty when there is something."""
        if self.accepted:
            return ""
        if not self.records and self.cut_short:
            return f"the first {self.blank_lines:,} lines after the header are empty; the rest was not read"
        if not self.records:
            return "the file has a header and no rows; export it again with its rows"
        worst, count = max(self.by_rule.items(), key=lambda item: item[1])
        first = "first " if self.cut_short else ""
        rest = "; the rest was not read" if self.cut_short else ""
        return f"none of the {first}{self.records} rows fits the contract; most often ({count} times): {worst}{rest}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Admission:
    """One reading of one file; see the top of this module."""

    def __init__(
        self,
        chunks: Iterable[bytes],
        contracts: Sequence[Contract],
        purpose: Purpose,
        *,
        waived: bool = False,
        header: Header | None = None,
    ) -> None:
        self.purpose = purpose
        self._waived = waived
        self.contract: Contract | None = None
        self.problem = ""
        """Why the file as a whole is refused; empty when its rows can be read."""
        self.tally = Tally()
        self._digest = hashlib.sha256()
        self.header: Header | None = None
        self._rest = self._counted(chunks)
        read: Header | FileProblem | None = header
        if read is None:
            read, self._rest = read_header(self._rest)
        if isinstance(read, FileProblem):
            self.problem = read.message
            return
        fit = match(read.names, contracts, purpose)
        if isinstance(fit, HeaderProblem):
            after = next(self._rest, b"")[:LONGEST]
            self.problem = explained(fit, read, after, contracts, purpose).message
            return
        self.contract = fit
        self.header = read_as(read, fit, purpose)
        self._mended = mended.of_header(read, fit, purpose)

    def batches(self) -> Iterator[Batch]:
        """The records, once; nothing when there is a problem."""
        if self.header is None or self.contract is None:
            return
        content = _ContentHash(self.contract.dataset, self.contract.columns_for(self.purpose))
        by_rule: Counter[str] = Counter()
        for batch in self._read(self.header, self.contract):
            content.add(batch.columns)
            self._count(batch, by_rule)
            yield batch
            if self.tally.records + self.tally.blank_lines >= HOPELESS and not self.tally.accepted:
                self.tally.cut_short = True
                break
        self.tally.mended = mended.told(self._mended)
        self.tally.by_rule = dict(by_rule.most_common())
        self.tally.content_hash = content.hexdigest(self.tally.accepted)
        self.tally.source_sha256 = "" if self.tally.cut_short else self._digest.hexdigest()

    def _read(self, header: Header, contract: Contract) -> Iterator[Batch]:
        """In columns where that can be; else row by row."""
        from shared.domain.tables import columnar

        columns = contract.columns_for(self.purpose)
        # Never the answer itself.
        waived = [column.name for column in contract.columns] if self._waived else []
        strict = _StrictRows(
            header, columns, RowCheck(header, columns, waived, contract.mend), self._mended,
            leaves_out_empty="empty-rows" in contract.mend,
        )  # fmt: skip
        if waived or not columnar.can_read(header):
            yield from map(strict.batch, read_blocks(self._rest, header))
            return
        for stretch, found in columnar.ColumnReader(header, columns, contract.mend)(self._rest):
            batch = strict.beside(found) if found else None
            if batch:
                yield batch
                continue
            blocks = read_blocks(stretch.chunks, header, first_line=stretch.line, start=stretch.start)
            yield from map(strict.batch, blocks)

    def _count(self, batch: Batch, by_rule: Counter[str]) -> None:
        self.tally.records += batch.rows + len(batch.rejects)
        self.tally.accepted += batch.rows
        self.tally.rejected += len(batch.rejects)
        self.tally.blank_lines += batch.blank_lines
        for reject in batch.rejects:
            by_rule.update(_counted_as(fault) for fault in reject.faults)

    def _counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._digest.update(chunk)
            self.tally.source_bytes += len(chunk)
            yield chunk


def check_rows(
    chunks: Iterable[bytes],
    contracts: Sequence[Contract],
    purpose: Purpose = "training",
    *,
    waived: bool = False,
    header: Header | None = None,
) -> Admission:
    """Reads the header and finds the contract; the rows are read as the batches are asked for.

    chunks: the file's bytes in pieces of any size. When there is a problem, the rest of them is left unread.
    waived: take any value of the column's type, whatever the contract says of values; the target's still count
    header: of rows that were read before; the chunks begin with the first row then
    """
    return Admission(chunks, contracts, purpose, waived=waived, header=header)


def _counted_as(fault: Fault) -> str:
    return f"{fault.column}: {fault.rule}" if fault.column else fault.rule


class _StrictRows:
    """What the strict reader found, checked row by row: good rows typed, the others with all that is wrong with them."""

    def __init__(
        self,
        header: Header,
        columns: Sequence[Column],
        check: RowCheck,
        mended: mended.Mended,
        *,
        leaves_out_empty: bool,
    ) -> None:
        """mended: to be added to

        leaves_out_empty: whether rows of empty values count as blank lines, as the contract may say
        """
        self._header, self._columns, self._check, self._mended = header, columns, check, mended
        self._leaves_out_empty = leaves_out_empty
        self._last = header.line
        """The last line of the record before what comes now."""

    def batch(self, block: Block) -> Batch:
        ends = self._ends(block, every=bool(block.broken))
        self._tables_told_apart(block, ends)
        self._last = max(ends, default=self._last)
        return self._checked(block, self._check(block.rows))

    def beside(self, found: Columns) -> Batch | None:
        """The rows read in columns, with the lines among them that are none; None where one of these is a row after all."""
        checked = [(block, self._check(block.rows)) for block in found.others]
        if any(len(each.faults) < len(block.rows) for block, each in checked):
            return None
        self._mended.update(found.mended)
        rejects, blank_lines = list[Reject](), 0
        broken = any(block.broken for block, _ in checked)
        ends = set(found.lines.tolist() if broken else found.lines[-1:].tolist())
        ends = ends.union(*(self._ends(block, every=broken) for block, _ in checked))
        for block, each in checked:
            self._tables_told_apart(block, ends)
            none = self._checked(block, each)
            rejects, blank_lines = [*rejects, *none.rejects], blank_lines + none.blank_lines
        self._last = max(ends, default=self._last)
        rejects.sort(key=lambda reject: reject.line)
        return Batch(columns=found.columns, lines=found.lines, rejects=rejects, blank_lines=blank_lines)

    def _checked(self, block: Block, checked: Checked) -> Batch:
        self._mended.update(checked.mended)
        self._leave_out_empty(block, checked)
        good = [row for row in range(len(block.lines)) if row not in checked.faults]
        return Batch(
            columns={
                column.name: _array(column, [checked.columns[column.name][row] for row in good])
                for column in self._columns
            },
            lines=[block.lines[row] for row in good],
            rejects=_rejects(block, checked.faults, self._header, len(self._columns)),
            blank_lines=block.blank_lines,
        )

    def _leave_out_empty(self, block: Block, checked: Checked) -> None:
        if not checked.faults or not self._leaves_out_empty:
            return
        empty = {row for row in checked.faults if not "".join(block.rows[row]).strip()}
        block.left_out, block.blank_lines = empty, block.blank_lines + len(empty)
        if empty:
            self._mended["", MENDS["empty-rows"]] += len(empty)

    def _ends(self, block: Block, *, every: bool) -> set[int]:
        """The last line of each record; of the block's last alone where no line is broken, and nobody asks for more."""
        first = 0 if every else -1
        rows = zip(block.lines[first:], block.texts[first:], strict=True)
        ends = {line + text.count(self._header.newline) for line, text in rows}
        return ends | {broken.line for broken in block.broken}

    def _tables_told_apart(self, block: Block, ends: set[int]) -> None:
        """Says of a record of another width that an empty line stands above it. ends: the last lines of all records here"""
        above = ends | {self._last}
        block.broken = [
            replace(broken, rule=broken.rule + AFTER_EMPTY)
            if broken.rule.startswith(OTHER_WIDTH) and broken.line - 1 not in above
            else broken
            for broken in block.broken
        ]


def _array(column: Column, values: list[Any]) -> Any:
    import pyarrow as pa

    from shared.domain.tables.columnar import TYPES

    return pa.array(values, type=TYPES[column.type])


def _rejects(block: Block, faults: dict[int, list[Fault]], header: Header, columns: int) -> list[Reject]:
    rejects = [_structural(broken) for broken in block.broken]
    for row, found in faults.items():
        if row in block.left_out:
            continue
        raw = block.texts[row].rstrip("\r\n")
        whole = as_a_whole(block.rows[row], header, faulty=len(found), checked=columns)
        rejects.append(Reject(line=block.lines[row], raw=raw, faults=(whole,) if whole else tuple(found)))
    return sorted(rejects, key=lambda reject: reject.line)


def _structural(broken: Broken) -> Reject:
    return Reject(line=broken.line, raw=broken.raw, faults=_faults(broken.rule, broken.remedy))


@lru_cache(maxsize=128)
def _faults(rule: str, remedy: str) -> tuple[Fault, ...]:
    """One object for all lines broken alike: a file of short broken lines has very many."""
    return (Fault(column="", value="", rule=rule, remedy=remedy),)


class _ContentHash:
    """A digest for each column, so that neither batches nor their size show in the result."""

    def __init__(self, dataset: str, columns: Sequence[Column]) -> None:
        self._dataset = dataset
        self._columns = [(column, hashlib.sha256()) for column in columns]

    def add(self, columns: dict[str, Any]) -> None:
        for column, digest in self._columns:
            digest.update(_packed(column, columns[column.name]))

    def hexdigest(self, rows: int) -> str:
        columns = [[column.name, column.type, digest.hexdigest()] for column, digest in self._columns]
        return hashlib.sha256(json.dumps([self._dataset, rows, columns]).encode()).hexdigest()


def _packed(column: Column, values: Any) -> Any:
    """Integers and numbers: eight bytes each, little end first. Categories: lines, as none has a line end."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type != "category":
        return np.asarray(values).astype("<i8" if column.type == "integer" else "<f8", copy=False).tobytes()
    coded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    lines = pc.binary_join_element_wise(coded.dictionary, "", "\n").take(coded.indices)
    _, offsets, data = lines.buffers()
    if data is None:
        return b""
    places = np.frombuffer(offsets, dtype=np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return memoryview(data)[int(places[0]) : int(places[-1])]
