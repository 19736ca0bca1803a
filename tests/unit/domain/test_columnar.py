"""Reading in columns gives what the strict reader gives: rows, lines, refusals and counts, whatever the bytes are."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from shared.domain.tables import columnar
from shared.domain.tables.admission import check_rows
from shared.domain.tables.contract import Contract
from shared.domain.tables.dialect import LONGEST
from tests.unit.domain.clients import ADDITIONAL, BANK, rows, written

Line = Callable[[str, random.Random], bytes]


def _cell(text: str) -> Line:
    """One value of the line is another."""

    def changed(line: str, chance: random.Random) -> bytes:
        cells = line.split(";")
        cells[chance.randrange(len(cells))] = text
        return ";".join(cells).encode()

    return changed


ODD: dict[str, Line] = {
    "a faulty value": _cell("?"),
    "no value": _cell(""),
    "blanks around a value": lambda line, chance: line.replace(";", "; ", 1).encode(),
    "a number with a sign": lambda line, chance: f"+{line}".encode(),
    "a whole number with a point": lambda line, chance: line.replace(";", ".0;", 1).encode(),
    "a value too many": lambda line, chance: f"{line};x".encode(),
    "a value too few": lambda line, chance: line.rpartition(";")[0].encode(),
    "an empty line": lambda line, chance: b"",
    "rows of empty values": lambda line, chance: b";" * line.count(";"),
    "quotes around a value": lambda line, chance: b'"' + line.replace(";", '";', 1).encode(),
    "a delimiter in quotes": _cell('"a;b"'),
    "a doubled quote": _cell('"a ""b"""'),
    "a quote that is not closed": lambda line, chance: b'"' + line.encode(),
    "a quote inside a value": _cell('a"b'),
    "two quotes inside values": lambda line, chance: line.replace(";", 'x";"y;', 1).encode(),
    "a lone CR": lambda line, chance: line.replace(";", ";\r", 1).encode(),
    "CRLF": lambda line, chance: f"{line}\r".encode(),
    "a NUL": lambda line, chance: line.encode() + b"\0",
    "Latin-1": lambda line, chance: line.encode() + b"\xe9",
    "other letters": _cell("érudit"),
    "a byte order mark": lambda line, chance: b"\xef\xbb\xbf" + line.encode(),
    "a long line": lambda line, chance: line.encode() + b"x" * (LONGEST + chance.choice((-300, 0, 300))),
    "the header again": lambda line, chance: b"age;job",
}


def _file(seed: int, contract: Contract) -> bytes:
    chance = random.Random(seed)
    names = [column.name for column in contract.columns_for("training")]
    header, *lines = (
        written(rows(chance.choice((0, 1, 40, 300)), seed=seed, contract=contract), names=names)
        .decode()
        .splitlines()
    )
    kinds = chance.sample(sorted(ODD), chance.randrange(4))
    share = chance.choice((0.003, 0.02, 0.3))
    made = [
        ODD[chance.choice(kinds)](line, chance) if kinds and chance.random() < share else line.encode()
        for line in lines
    ]
    end = chance.choice((b"\n", b"\r\n"))
    return end.join([header.encode(), *made]) + chance.choice((end, b"", end + end))


def read_whole(data: bytes, contract: Contract, piece: int) -> dict[str, Any]:
    admission = check_rows((data[at : at + piece] for at in range(0, len(data), piece)), [contract])
    batches = list(admission.batches())
    tally = asdict(admission.tally)
    return {
        "problem": admission.problem,
        "tally": {**tally, "mended": sorted(tally["mended"], key=str), "by_rule": dict(sorted(tally["by_rule"].items()))},
        "lines": [line for batch in batches for line in batch.lines],
        "rows": [
            row
            for batch in batches
            for row in zip(*(column.to_pylist() for column in batch.columns.values()), strict=True)
        ],
        "rejects": sorted(
            (reject.line, reject.raw, reject.message) for batch in batches for reject in batch.rejects
        ),
    }  # fmt: skip


def _contract(base: Contract, *mend: str) -> Contract:
    return Contract.from_json({**base.to_json(), "mend": list(mend)})


CONTRACTS = (BANK, ADDITIONAL, _contract(BANK, "blanks", "whole-numbers", "empty-rows", "case"))


@pytest.fixture
def _small_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a file of some hundred rows has many."""
    monkeypatch.setattr(columnar, "FIRST", 300)
    monkeypatch.setattr(columnar, "LARGEST", 5000)


@pytest.mark.usefixtures("_small_stretches")
@pytest.mark.parametrize("seed", range(400))
def test_both_readers_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = CONTRACTS[seed % len(CONTRACTS)]
    data, piece = _file(seed, contract), random.Random(seed).choice((37, 4096, 1 << 20))
    found = read_whole(data, contract, piece)
    monkeypatch.setattr(columnar, "can_read", lambda header: False)
    assert found == read_whole(data, contract, piece)


@pytest.mark.parametrize(
    "odd", sorted(set(ODD) - {"a doubled quote", "a long line", "two quotes inside values"})
)
def test_a_few_odd_lines_leave_the_others_to_be_read_in_columns(odd: str) -> None:
    """Else a file with a fault in each stretch would be read as slowly as if there were no columns."""
    _, *lines = written(rows(300)).splitlines()
    chance = random.Random(1)
    lines[100], lines[200] = (ODD[odd](lines[at].decode(), chance) for at in (100, 200))
    header_line = written([]).splitlines()[0]
    reader_of = check_rows([header_line + b"\n"], [BANK])
    assert reader_of.header is not None
    reader = columnar.ColumnReader(reader_of.header, BANK.columns_for("training"), ())
    data = b"\n".join([*lines, b""])
    found = [columns for _, columns in reader([data])]
    assert all(columns is not None for columns in found)
    assert sum(len(columns.lines) for columns in found if columns) >= 298


def test_a_file_of_odd_lines_is_the_strict_readers() -> None:
    _, *lines = written(rows(300)).splitlines()
    read = check_rows([written([]), *(line + b";x\n" for line in lines)], [BANK])
    assert read.header is not None
    reader = columnar.ColumnReader(read.header, BANK.columns_for("training"), ())
    assert [columns for _, columns in reader([b"".join(line + b";x\n" for line in lines)])] == [None]
