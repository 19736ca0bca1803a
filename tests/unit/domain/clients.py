"""Clients that never were: rows that fit a contract, drawn with a seed, and the ways to write them down."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from shared.adapters.contracts import load_contracts
from shared.domain.tables.admission import Admission, Batch, check_rows
from shared.domain.tables.contract import Column, Contract

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")
BANK, ADDITIONAL = CONTRACTS
NAMES = [column.name for column in BANK.columns_for("training")]
FAULTLESS = "30;unemployed;married;primary;no;1787;no;no;cellular;19;oct;79;1;-1;0;unknown;no"
HEADER = ";".join(NAMES)


def drawn(column: Column, chance: random.Random) -> str:
    if column.type == "category":
        return chance.choice(column.values)
    low, high = int(column.minimum or 0), int(column.maximum or 0)
    return str(chance.randint(low, high)) if column.type == "integer" else f"{chance.uniform(low, high):.3f}"


def rows(count: int, *, seed: int = 1, contract: Contract = BANK) -> list[list[str]]:
    chance = random.Random(seed)
    return [[drawn(column, chance) for column in contract.columns_for("training")] for _ in range(count)]


def written(
    table: Sequence[Sequence[str]],
    *,
    names: Sequence[str] = NAMES,
    delimiter: str = ";",
    line_end: str = "\n",
    quoting: int = csv.QUOTE_MINIMAL,
    bom: bool = False,
) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([list(names), *map(list, table)])
    return (b"\xef\xbb\xbf" if bom else b"") + out.getvalue().encode()


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def admitted(data: bytes, *, pieces: int = 1 << 20) -> tuple[Admission, list[Batch]]:
    admission = check_rows(in_pieces(data, pieces), CONTRACTS)
    return admission, list(admission.batches())
