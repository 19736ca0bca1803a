"""Scoring a file of clients in shards: where to cut it, what each row says, and what comes out.

    plan = plan_shards(files.read(blob), contracts, rows_per_shard=50_000)      # or a FileProblem
    for shard in plan.shards:                                                   # anywhere, in any order
        records = read_shard(files.read_range(blob, shard.start, shard.end), plan, shard)
        rows = [record.values for record in records if record.values is not None]
        scored = [...ask the model for `rows`, whose columns are plan.features; one Scored each...]
        files.stage(..., write_scored(records, scored, plan, shard))

Every record gives exactly one record of output, in its place; the outputs put together are what scoring the
whole file at once would have given.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Self

from shared.domain.contract import Contract, HeaderProblem, match
from shared.domain.dialect import FileProblem, Header, read_header
from shared.domain.row_check import RowCheck
from shared.domain.table_reader import Block, Broken, read_blocks

ADDED = ("probability", "decision", "model_version", "problem")
"""The columns of the output after those of the input."""


@dataclass(frozen=True, kw_only=True)
class ShardRange:
    """A stretch of the file that begins with a record and holds whole records."""

    number: int
    """From 0, which also carries the header into the output."""
    start: int
    end: int
    """Bytes of the file, end exclusive."""
    first_line: int
    """The physical line of `start`."""
    rows: int
    """Records, those that break the contract included."""


@dataclass(frozen=True, kw_only=True)
class ShardPlan:
    """How a file is read and cut; goes through JSON unchanged, so that each shard is read alike."""

    contract: Contract
    header: Header
    shards: tuple[ShardRange, ...]
    """At least one: a file without rows has an empty one, since its output has a header all the same."""

    @property
    def rows(self) -> int:
        return sum(shard.rows for shard in self.shards)

    @property
    def features(self) -> list[str]:
        """The columns of a record's `values`."""
        return [column.name for column in self.contract.features]

    def to_json(self) -> dict[str, Any]:
        shards = [vars(shard) for shard in self.shards]
        return {"contract": self.contract.to_json(), "header": self.header.to_json(), "shards": shards}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        return cls(
            contract=Contract.from_json(body["contract"]),
            header=Header.from_json(body["header"]),
            shards=tuple(ShardRange(**shard) for shard in body["shards"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """A record of the file: what the model is asked, or what is wrong with it."""

    line: int
    cells: Sequence[str]
    """As they stand in the file, one for each column; of a record that cannot be taken apart, its whole text
    in the first."""
    values: tuple[Any, ...] | None
    """The features, typed; None when the record breaks the contract."""
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What became of a row that was good enough to be asked about."""

    probability: float | None
    """None when the model could not say; `problem` says why."""
    decision: str = ""
    model_version: str = ""
    problem: str = ""


def plan_shards(
    chunks: Iterable[bytes], contracts: Sequence[Contract], *, rows_per_shard: int
) -> ShardPlan | FileProblem:
    """Reads the file once, memory flat, and cuts it after every `rows_per_shard` records."""
    header, rest = read_header(chunks)
    if isinstance(header, FileProblem):
        return header
    contract = match(header.names, contracts, "scoring")
    if isinstance(contract, HeaderProblem):
        return FileProblem(message=contract.message)
    cuts, records, end = _cuts(rest, header, rows_per_shard)
    shards = [
        ShardRange(
            number=number,
            start=start,
            end=cuts[number + 1][1] if number + 1 < len(cuts) else end,
            first_line=line,
            rows=min(rows_per_shard, records - number * rows_per_shard),
        )
        for number, (line, start) in enumerate(cuts)
    ]
    return ShardPlan(contract=contract, header=header, shards=tuple(shards))


def _cuts(chunks: Iterable[bytes], header: Header, every: int) -> tuple[list[tuple[int, int]], int, int]:
    """Line and byte where each shard begins; how many records there are; the file's end."""
    cuts = [(header.line + 1, header.end)]
    records, size = 0, _Size(header.end)
    for block in read_blocks(size.of(chunks), header):
        first = -records % every or (every if not records else 0)
        if first < block.records:
            cuts += block.starts(header.newline)[first::every]
        records += block.records
    return cuts, records, size.bytes


class _Size:
    """Counts the bytes that pass."""

    def __init__(self, start: int) -> None:
        self.bytes = start

    def of(self, chunks: Iterable[bytes]) -> Iterable[bytes]:
        for chunk in chunks:
            self.bytes += len(chunk)
            yield chunk


def read_shard(data: bytes, plan: ShardPlan, shard: ShardRange) -> list[Record]:
    """The shard's records in order; those that break the contract with all that is wrong with them."""
    check = RowCheck(plan.header, plan.contract.features)
    records: list[Record] = []
    for block in read_blocks([data], plan.header, first_line=shard.first_line, start=shard.start):
        records += sorted(_records(block, check, plan.header.width), key=lambda record: record.line)
    if len(records) != shard.rows:
        raise ValueError(f"shard {shard.number} has {len(records)} records, the plan says {shard.rows}")
    return records


def _records(block: Block, check: RowCheck, width: int) -> list[Record]:
    checked = check(block.rows)
    faults = checked.faults
    values = zip(*checked.columns.values(), strict=True)
    good = [
        Record(line=line, cells=cells, values=row)
        if at not in faults
        else Record(line=line, cells=cells, values=None, problem="; ".join(f.message for f in faults[at]))
        for at, (line, cells, row) in enumerate(zip(block.lines, block.rows, values, strict=True))
    ]
    return good + [_broken(broken, width) for broken in block.broken]


def _broken(broken: Broken, width: int) -> Record:
    cells = [broken.raw] + [""] * (width - 1)
    return Record(line=broken.line, cells=cells, values=None, problem=f"{broken.rule} ({broken.remedy})")


def write_scored(
    records: Sequence[Record], scored: Sequence[Scored], plan: ShardPlan, shard: ShardRange
) -> bytes:
    """The shard's output: the input's columns in its order and delimiter, then `ADDED`; CRLF as in RFC 4180.

    scored: one for each record with values, in their order.
    raises: ValueError when they are not as many, or a probability is none.
    """
    answers = iter(scored)
    out = io.StringIO()
    # With CRLF the csv module also quotes a lone CR in a cell, which it otherwise does from 3.13 on only.
    writer = csv.writer(out, delimiter=plan.header.delimiter, lineterminator="\r\n")
    if shard.number == 0:
        out.write("\ufeff" if plan.header.bom else "")
        writer.writerow([*plan.header.names, *ADDED])
    needed = sum(record.values is not None for record in records)
    if needed != len(scored):
        raise ValueError(f"{needed} rows were asked about and {len(scored)} answered; ask again")
    for record in records:
        added = ("", "", "", record.problem) if record.values is None else _added(next(answers))
        writer.writerow([*record.cells, *added])
    return out.getvalue().encode()


def _added(scored: Scored) -> tuple[str, str, str, str]:
    if scored.probability is None:
        return "", "", scored.model_version, scored.problem
    if not (isfinite(scored.probability) and 0 <= scored.probability <= 1):
        raise ValueError(f"{scored.probability} is no probability; the model's answer cannot be used")
    return repr(float(scored.probability)), scored.decision, scored.model_version, scored.problem
