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
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any

from shared.domain.tables import mended
from shared.domain.tables.contract import MENDS, Column, Contract, Purpose
from shared.domain.tables.csv_reader import AFTER_EMPTY, OTHER_WIDTH, Block, Broken, read_blocks
from shared.domain.tables.dialect import LONGEST, FileProblem, Header, read_header
from shared.domain.tables.header_match import HeaderProblem, explained, match, read_as
from shared.domain.tables.row_check import Checked, RowCheck, as_a_whole
from shared.domain.tables.values import Fault

HOPELESS = 10_000
"""A file none of whose first so many records fits is read no further: the rest would say the same."""


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

    columns: dict[str, list[Any]]
    """The accepted rows' typed values by column, in the contract's order: int, float or str; equally long."""
    lines: Sequence[int]
    """The accepted rows' physical lines."""
    rejects: list[Reject]

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
        columns = self.contract.columns_for(self.purpose)
        content = _ContentHash(self.contract.dataset, columns)
        free = (
            [column.name for column in self.contract.columns] if self._waived else ()
        )  # never the answer itself
        check = RowCheck(self.header, columns, free, self.contract.mend)
        by_rule: Counter[str] = Counter()
        last = self.header.line
        for block in read_blocks(self._rest, self.header):
            last = _tables_told_apart(block, last, self.header)
            checked = check(block.rows)
            self._mended += checked.mended
            batch = _batch(self._without_empty(block, checked), checked, self.header)
            content.add(batch.columns)
            self._count(block, batch, by_rule)
            yield batch
            if self.tally.records >= HOPELESS and not self.tally.accepted:
                self.tally.cut_short = True
                break
        self.tally.mended = mended.told(self._mended)
        self.tally.by_rule = dict(by_rule.most_common())
        self.tally.content_hash = content.hexdigest(self.tally.accepted)
        self.tally.source_sha256 = "" if self.tally.cut_short else self._digest.hexdigest()

    def _without_empty(self, block: Block, checked: Checked) -> Block:
        """The block without its rows of empty values, where the contract says so: they count as blank lines."""
        if not checked.faults or self.contract is None or "empty-rows" not in self.contract.mend:
            return block
        empty = {row for row in checked.faults if not "".join(block.rows[row]).strip()}
        block.left_out, block.blank_lines = empty, block.blank_lines + len(empty)
        if empty:
            self._mended["", MENDS["empty-rows"]] += len(empty)
        return block

    def _count(self, block: Block, batch: Batch, by_rule: Counter[str]) -> None:
        self.tally.records += block.records
        self.tally.accepted += batch.rows
        self.tally.rejected += len(batch.rejects)
        self.tally.blank_lines += block.blank_lines
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


def _tables_told_apart(block: Block, last: int, header: Header) -> int:
    """Says of a record of another width that an empty line stands above it.

    last: the last line of the record before the block; returns: that of the block's last record
    """
    newline = header.newline
    if block.broken:
        above = {line + text.count(newline) for line, text in zip(block.lines, block.texts, strict=True)}
        above |= {broken.line for broken in block.broken} | {last}
        block.broken = [
            replace(broken, rule=broken.rule + AFTER_EMPTY)
            if broken.rule.startswith(OTHER_WIDTH) and broken.line - 1 not in above
            else broken
            for broken in block.broken
        ]
        last = max(above)
    elif block.lines:
        last = block.lines[-1] + block.texts[-1].count(newline)
    return last


def _batch(block: Block, checked: Checked, header: Header) -> Batch:
    columns = len(checked.columns)
    if not checked.faults:
        return Batch(columns=checked.columns, lines=block.lines, rejects=_rejects(block, {}, header, columns))
    good = [row for row in range(len(block.lines)) if row not in checked.faults]
    return Batch(
        columns={name: [values[row] for row in good] for name, values in checked.columns.items()},
        lines=[block.lines[row] for row in good],
        rejects=_rejects(block, checked.faults, header, columns),
    )


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

    def add(self, columns: dict[str, list[Any]]) -> None:
        for column, digest in self._columns:
            digest.update(_packed(column, columns[column.name]))

    def hexdigest(self, rows: int) -> str:
        columns = [[column.name, column.type, digest.hexdigest()] for column, digest in self._columns]
        return hashlib.sha256(json.dumps([self._dataset, rows, columns]).encode()).hexdigest()


def _packed(column: Column, values: list[Any]) -> bytes:
    """Integers and numbers: eight bytes each, little end first. Categories: lines, as none has a line end."""
    if column.type == "category":
        return "\n".join([*values, ""]).encode()
    packed = array("q" if column.type == "integer" else "d", values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()
