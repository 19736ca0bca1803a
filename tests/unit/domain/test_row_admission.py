"""Admission: no row is lost, the same rows have the same hash however they are written, memory stays flat."""

from __future__ import annotations

import csv
import os
import random
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.tables.admission import Batch, check_rows
from shared.domain.tables.contract import Contract
from shared.domain.tables.csv_reader import read_blocks
from shared.domain.tables.dialect import Header, read_header
from tests.unit.domain.clients import (
    ADDITIONAL,
    BANK,
    CONTRACTS,
    FAULTLESS,
    HEADER,
    NAMES,
    admitted,
    in_pieces,
    rows,
    written,
)

LINES = st.lists(
    st.one_of(
        st.just(FAULTLESS),
        st.just(FAULTLESS + "\r"),
        st.just('"' + FAULTLESS.replace(";", '";"') + '"'),
        st.just(""),
        st.text(alphabet='a;"\r\0\u2028é1', max_size=12),
        st.builds(
            FAULTLESS.replace,
            st.sampled_from([*NAMES, "oct", ";", "no"]),
            st.text('";\na\r'),
        ),
    ),
    max_size=12,
)
PIECES = st.integers(min_value=1, max_value=200)


def joined(columns: list[Batch]) -> dict[str, list[object]]:
    return {name: [value for batch in columns for value in batch.columns[name].to_pylist()] for name in NAMES}


@given(LINES, PIECES)
def test_every_record_is_admitted_or_refused_and_every_line_accounted_for(
    lines: list[str], pieces: int
) -> None:
    data = "\n".join([HEADER, *lines]).encode()
    admission, batches = admitted(data, pieces=pieces)
    tally = admission.tally
    assert tally.records == tally.accepted + tally.rejected
    assert tally.rejected == sum(len(batch.rejects) for batch in batches)
    first = [line for batch in batches for line in (*batch.lines, *(r.line for r in batch.rejects))]
    assert len(set(first)) == len(first) == tally.records
    assert admission.header is not None
    newline, rest = admission.header.newline.encode(), data[len(HEADER) + 1 :]
    assert covered(data) == rest.count(newline) + bool(rest and not rest.endswith(newline))


def covered(data: bytes) -> int:
    """How many physical lines the reader's records and blank lines take up together."""
    header, rest = read_header([data])
    assert isinstance(header, Header)
    total = 0
    for block in read_blocks(rest, header):
        total += block.blank_lines + len(block.broken)
        total += sum(1 + text.rstrip(header.newline).count(header.newline) for text in block.texts)
    return total


@given(st.binary(max_size=400), PIECES)
def test_any_bytes_at_all_are_read_to_an_end(data: bytes, pieces: int) -> None:
    admission, batches = admitted(f"{HEADER}\n".encode() + data, pieces=pieces)
    assert admission.tally.accepted == sum(batch.rows for batch in batches)
    admitted(data, pieces=pieces)


@given(LINES, PIECES)
def test_the_size_of_the_pieces_changes_nothing(lines: list[str], pieces: int) -> None:
    data = "\n".join([HEADER, *lines]).encode()
    whole, whole_batches = admitted(data)
    cut, cut_batches = admitted(data, pieces=pieces)
    assert cut.tally == whole.tally
    assert joined(cut_batches) == joined(whole_batches)


def test_blocks_change_nothing_either(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)
    lines = [";".join(row) for row in rows(300)]
    for _ in range(40):
        at = chance.randrange(len(lines))
        place = chance.randrange(len(lines[at]) + 1)
        lines[at] = lines[at][:place] + chance.choice(['"', "\n", "\r", ";", "\0", '""']) + lines[at][place:]
    data = "\n".join([HEADER, *lines]).encode()
    whole, whole_batches = admitted(data)
    assert 0 < whole.tally.rejected < 100
    for block in (1, 50, 500, 5000):
        monkeypatch.setattr("shared.domain.tables.csv_reader.BLOCK", block)
        cut, cut_batches = admitted(data, pieces=777)
        assert cut.tally == whole.tally
        assert [r for b in cut_batches for r in b.rejects] == [r for b in whole_batches for r in b.rejects]
        assert joined(cut_batches) == joined(whole_batches)


@settings(max_examples=40)
@given(
    delimiter=st.sampled_from(";,\t|"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    bom=st.booleans(),
    order=st.permutations(range(len(NAMES))),
)
def test_the_same_rows_written_in_any_way_have_one_hash(
    delimiter: str, line_end: str, quoting: int, bom: bool, order: list[int]
) -> None:
    table = rows(20)
    plain, plain_batches = admitted(written(table))
    names = [NAMES[at] for at in order]
    shuffled = [[row[at] for at in order] for row in table]
    data = written(shuffled, names=names, delimiter=delimiter, line_end=line_end, quoting=quoting, bom=bom)
    other, other_batches = admitted(data)
    assert other.tally.accepted == 20
    assert other.tally.content_hash == plain.tally.content_hash
    assert joined(other_batches) == joined(plain_batches)


def test_a_numbers_spelling_does_not_matter_and_its_value_does() -> None:
    names = [column.name for column in ADDITIONAL.columns_for("training")]
    table = rows(3, contract=ADDITIONAL)
    at = names.index("emp.var.rate")

    def hashed(text: str) -> str:
        table[1][at] = text
        return admitted(written(table, names=names))[0].tally.content_hash

    assert len({hashed(text) for text in ("1.1", "1.10", "+1.1", "11e-1", "01.1")}) == 1
    assert hashed("0") == hashed("-0.0") == hashed(".0")
    assert hashed("1.1") != hashed("1.2")


def test_order_and_number_of_rows_are_part_of_the_hash() -> None:
    table = rows(5)
    hashes = [
        admitted(written(t))[0].tally.content_hash
        for t in (table, table[::-1], table[:-1], table + table[:1])
    ]
    assert len(set(hashes)) == 4


def test_refused_rows_are_no_part_of_the_hash() -> None:
    table = rows(5)
    bad = [*table[:2], ["x"] * len(NAMES), *table[2:]]
    assert admitted(written(bad))[0].tally.content_hash == admitted(written(table))[0].tally.content_hash


def test_values_come_typed_in_the_contracts_order() -> None:
    _, batches = admitted(f"{HEADER}\n{FAULTLESS}\n".encode())
    [batch] = [batch for batch in batches if batch.rows]
    assert list(batch.columns) == NAMES
    assert {
        name: values[0].as_py()
        for name, values in batch.columns.items()
        if name in ("age", "job", "pdays", "y")
    } == {
        "age": 30,
        "job": "unemployed",
        "pdays": -1,
        "y": "no",
    }
    assert list(batch.lines) == [2]


def test_scoring_looks_at_the_features_only() -> None:
    odd = FAULTLESS.replace(";79;", ";not called yet;")
    admission = check_rows([f"{HEADER}\n{odd}\n".encode()], CONTRACTS, "scoring")
    [batch] = admission.batches()
    assert batch.rows == 1
    assert list(batch.columns) == [column.name for column in BANK.features]


def test_more_distinct_values_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.domain.tables.values.MOST_REMEMBERED", 4)
    table = rows(200)
    admission, batches = admitted(written(table))
    assert admission.tally.accepted == 200
    assert joined(batches)["balance"] == [int(row[NAMES.index("balance")]) for row in table]


def endless_line() -> Iterator[bytes]:
    yield f"{HEADER}\n".encode()
    for _ in range(200):
        yield b"x" * 65536
    yield f"\n{FAULTLESS}\n".encode()


def quote_never_closed() -> Iterator[bytes]:
    yield f'{HEADER}\n{FAULTLESS}\n"'.encode()
    for _ in range(200):
        yield b"x\n" * 1024


def good_rows() -> Iterator[bytes]:
    yield f"{HEADER}\n".encode()
    for _ in range(50):
        yield f"{FAULTLESS}\n".encode() * 1000


def bad_rows() -> Iterator[bytes]:
    yield f"{HEADER}\n".encode()
    for _ in range(10):
        yield f"{FAULTLESS.replace(';', ';?')}\n".encode() * 1000


@pytest.mark.parametrize("chunks", [endless_line, quote_never_closed, good_rows, bad_rows])
def test_memory_stays_flat(chunks: Callable[[], Iterator[bytes]]) -> None:
    tracemalloc.start()
    try:
        admission = check_rows(chunks(), CONTRACTS)
        for _ in admission.batches():
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert admission.tally.records > 0
    assert peak < 24_000_000  # a block of two-byte lines, each with its own refusal


def test_an_endless_line_costs_itself_only() -> None:
    admission = check_rows(endless_line(), CONTRACTS)
    rejects = [reject for batch in admission.batches() for reject in batch.rejects]
    assert [(r.line, r.faults[0].rule) for r in rejects] == [(2, "longer than 65536 bytes")]
    assert admission.tally.accepted == 1
    assert admission.tally.source_bytes == sum(map(len, endless_line()))


@pytest.mark.skipif("CAMPANHA_DATA" not in os.environ, reason="CAMPANHA_DATA names no folder of real data")
def test_real_data_is_admitted_whole() -> None:
    import gzip

    path = Path(os.environ["CAMPANHA_DATA"]) / "bank-additional.csv.gz"
    with gzip.open(path) as file:
        admission = check_rows(iter(lambda: file.read(1 << 20), b""), CONTRACTS)
        accepted = sum(batch.rows for batch in admission.batches())
    assert admission.contract is ADDITIONAL
    assert accepted == admission.tally.records > 30_000


def test_pieces_are_what_they_say() -> None:
    assert b"".join(in_pieces(b"abcdefg", 3)) == b"abcdefg"


@pytest.mark.parametrize("block", [1, 100, 1 << 16])
def test_a_record_of_several_lines_may_lie_across_blocks(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.domain.tables.csv_reader.BLOCK", block)
    lines = [f'{FAULTLESS};"client\n{n}\n\nof {n}"' for n in range(20)]
    noted = Contract.from_json({**BANK.to_json(), "ignored": [{"name": "id", "line_ends": True}]})
    admission = check_rows(in_pieces("\n".join([HEADER + ";id", *lines]).encode(), 37), [noted])
    batches = list(admission.batches())
    assert (admission.tally.accepted, admission.tally.records, admission.tally.blank_lines) == (20, 20, 0)
    assert [line for batch in batches for line in batch.lines] == list(range(2, 82, 4))


@pytest.mark.parametrize("note", ["x" * 70_000, "é" * 35_000, ("x" * 2_000 + "\n") * 40, "x\n" * 120])
def test_a_record_too_long_is_refused_wherever_the_blocks_end(
    note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = f'{HEADER};id\n{FAULTLESS};1\n{FAULTLESS};"{note}"\n{FAULTLESS};3\n'.encode()
    tallies = []
    for block in (100, 1 << 16, 1 << 20):
        monkeypatch.setattr("shared.domain.tables.csv_reader.BLOCK", block)
        admission, batches = admitted(data)
        assert [line for b in batches for line in b.lines] == [2, data.count(b"\n")]
        tallies.append(admission.tally)
    assert tallies[0] == tallies[1] == tallies[2]
