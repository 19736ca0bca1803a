"""Shards: whole records, anywhere, whose outputs together are the output of the whole file."""

from __future__ import annotations

import csv
import io
import json
import random
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.batches import scored_file, shard_plan, shard_rows
from shared.domain.batches.scored_file import ADDED, ScoredRows, ScoredShard, write_shard
from shared.domain.batches.shard_plan import ShardPlan, plan_shards
from shared.domain.batches.shard_rows import ShardRows, _read_strictly, read_shard
from shared.domain.models.answers import Answers
from shared.domain.tables.dialect import FileProblem
from shared.domain.tables.plain_csv import read_plain
from tests.unit.domain.clients import BANK, CONTRACTS, FAULTLESS, HEADER, NAMES, rows, written
from tests.unit.domain.test_row_admission import LINES


def planned(data: bytes, every: int) -> ShardPlan:
    plan = plan_shards(lambda start, end: data[start:end], len(data), CONTRACTS, shard_bytes=every)
    assert isinstance(plan, ShardPlan)
    return plan


def answers(features: Any) -> Answers:
    """A model that tells its rows apart."""
    marks = [zlib.crc32(repr(list(row.values())).encode()) for row in features.to_pylist()]
    return Answers.checked(
        [mark / 2**32 for mark in marks],
        [mark % 10 + 1 for mark in marks],
        ["call" if mark % 2 else "skip" for mark in marks],
        rows=features.num_rows,
    )


def pieces_of(data: bytes, plan: ShardPlan, number: int) -> Iterator[ScoredRows]:
    shard = plan.shards[number]
    for read in read_shard(data[shard.start : shard.end], plan):
        yield ScoredRows(read=read, answers=answers(read.features), model_version="7")


def scored_shard(data: bytes, plan: ShardPlan, number: int) -> ScoredShard:
    shard = plan.shards[number]
    source = data[shard.start : shard.end]
    return write_shard(pieces_of(data, plan, number), plan.header, number=number, source=source)


def scored(data: bytes, plan: ShardPlan) -> bytes:
    """The shards' outputs put together; they were made in another order."""
    out = [scored_shard(data, plan, shard.number).lines for shard in reversed(plan.shards)]
    return b"".join(reversed(out))


def table_of(data: bytes, plan: ShardPlan) -> list[dict[str, Any]]:
    found = []
    for shard in plan.shards:
        file = scored_shard(data, plan, shard.number).table
        found += pq.read_table(pa.BufferReader(file)).to_pylist()
    return found


def one_shard(data: bytes) -> int:
    return len(data) + 1


@given(
    LINES,
    st.integers(1, 400),
    st.sampled_from([1, 40, shard_plan.WINDOW]),
    st.sampled_from([60, shard_rows.PIECE_BYTES]),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(deadline=None)
def test_shards_together_are_the_whole_for_any_cut(
    lines: list[str], every: int, window: int, piece: int, end: str
) -> None:
    data = end.join([HEADER, *lines]).encode()
    whole = planned(data, one_shard(data))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_plan, "WINDOW", window)
        patch.setattr(shard_plan, "MOST_WINDOW", 2 * window)
        plan = planned(data, every)
        patch.setattr(shard_rows, "PIECE_BYTES", piece)
        lines_out, table_out = scored(data, plan), table_of(data, plan)
    assert [shard.end for shard in plan.shards] == [*(s.start for s in plan.shards[1:]), plan.size]
    assert all(shard.start < shard.end for shard in plan.shards[1:])
    assert lines_out == scored(data, whole)
    assert table_out == table_of(data, whole)


@pytest.mark.parametrize("block", [1, 100, 5000])
def test_damage_does_not_move_the_cuts(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    lines = [";".join(row) for row in rows(400)]
    for _ in range(60):
        at = chance.randrange(len(lines))
        place = chance.randrange(len(lines[at]) + 1)
        lines[at] = (
            lines[at][:place] + chance.choice(['"', "\n", "\n\n", "\r", "é", "\0"]) + lines[at][place:]
        )
    lines[200] = "x" * 200_000
    data = "\r\n".join([HEADER, *lines]).encode()
    expected = scored(data, planned(data, one_shard(data)))
    monkeypatch.setattr("shared.domain.tables.csv_reader.BLOCK", block)
    monkeypatch.setattr("shared.domain.batches.shard_rows.RETRY_BYTES", 5 * block)
    assert scored(data, planned(data, 500)) == expected


PLAIN = st.lists(
    st.lists(
        st.text(st.sampled_from('ab1 ";,\r\n\0é-.'), max_size=4).flatmap(
            lambda text: st.sampled_from([text, '"' + text.replace('"', '""') + '"'])
        ),
        min_size=2,
        max_size=4,
    ).map(";".join),
    min_size=1,
    max_size=6,
)


@given(PLAIN, st.sampled_from(["\n", "\r\n"]), st.booleans())
@settings(max_examples=500, deadline=None)
def test_where_the_fast_reader_reads_it_reads_what_the_strict_one_reads(
    lines: list[str], end: str, ended: bool
) -> None:
    plan = planned(f"{HEADER}{end}".encode(), 100)
    header = type(plan.header)(**{**vars(plan.header), "names": ("a", "b", "c")})
    data = (end.join(lines) + (end if ended else "")).encode()
    plain = read_plain(data, header)
    if plain is None:
        return
    strict, broken = _read_strictly(data, header)
    assert not broken
    assert plain.cells.to_pylist() == strict.cells.to_pylist()
    assert plain.lines.to_pylist() == strict.lines.to_pylist()


def test_the_fast_reader_reads_what_banks_write() -> None:
    table = rows(300)
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC):
        for end in ("\n", "\r\n"):
            data = written(table, line_end=end, quoting=quoting)
            plan = planned(data, one_shard(data))
            plain = read_plain(data[plan.header.end :], plan.header)
            assert plain is not None
            assert [list(row.values()) for row in plain.cells.to_pylist()] == table


def test_every_record_comes_out_once_in_order_and_the_bad_ones_say_why() -> None:
    bad = FAULTLESS.replace("30;", "300;")
    data = "\r\n".join([HEADER, FAULTLESS, bad, "1;2", "", '"' + FAULTLESS, FAULTLESS]).encode()
    plan = planned(data, 100)
    table = list(csv.reader(io.StringIO(scored(data, plan).decode(), newline=""), delimiter=";"))
    assert table[0] == [*NAMES, *ADDED]
    assert [row[: len(NAMES)] for row in table[1:3]] == [FAULTLESS.split(";"), bad.split(";")]
    assert [row[0] for row in table[3:5]] == ["1;2", '"' + FAULTLESS]
    assert [bool(row[-5]) for row in table[1:]] == [True, False, False, False, True]
    assert [row[-1] for row in table[1:]] == [
        "",
        "age: '300' is above 120 (the contract allows 17 to 120)",
        "expected 17 values, found 2 (give each column one value; quote values that hold the delimiter)",
        'a quote (") is opened and not closed (remove the quote, or close it on the same line)',
        "",
    ]


def test_csv_and_parquet_say_the_same() -> None:
    lines = [";".join(row) for row in rows(50)]
    lines[7], lines[20], lines[21] = "1;2", lines[20].replace(";", ";x", 1), '"' + lines[21]
    data = "\n".join([HEADER, *lines, ""]).encode()
    plan = planned(data, 900)
    texts = list(csv.DictReader(io.StringIO(scored(data, plan).decode(), newline=""), delimiter=";"))
    table = table_of(data, plan)
    assert len(texts) == len(table) == 50
    for text, row in zip(texts, table, strict=True):
        assert [text[name] for name in NAMES] == [row[name] for name in NAMES]
        assert [text[name] for name in ADDED[1:]] == [
            str(row[n]) if row[n] is not None else "" for n in ADDED[1:]
        ]
        assert row["probability"] == (float(text["probability"]) if text["probability"] else None)


def test_lines_come_out_as_they_stand() -> None:
    odd = FAULTLESS.replace("30;", '"30";', 1).replace(";1787;", ";+1787;")
    data = f"{HEADER}\n{odd}\n{FAULTLESS}\n".encode()
    out = scored(data, planned(data, one_shard(data))).decode().splitlines()
    assert [line.rsplit(";", 5)[0] for line in out[1:]] == [odd, FAULTLESS]


def test_features_are_asked_about_and_other_columns_are_carried_through() -> None:
    names = [name for name in reversed(NAMES) if name not in ("duration", "y")] + ["id"]
    table = [[dict(zip(NAMES, row, strict=True)).get(name, "client 1") for name in names] for row in rows(3)]
    data = written(table, names=names, delimiter=",", bom=True)
    plan = planned(data, 100)
    first = next(read_shard(data[plan.shards[0].start : plan.shards[0].end], plan))
    assert first.features.schema.names == [column.name for column in BANK.features]
    assert first.features.column("age")[0].as_py() == int(table[0][names.index("age")])
    out = scored(data, plan).decode()
    assert out.startswith("\ufeff" + ",".join(names) + ",probability,")
    assert out.count("client 1") == 3


def test_a_file_without_rows_gives_a_header() -> None:
    data = f"{HEADER}\n".encode()
    plan = planned(data, 5)
    assert [(shard.start, shard.end) for shard in plan.shards] == [(len(data), len(data))]
    assert scored(data, plan).decode() == ";".join([*NAMES, *ADDED]) + "\n"
    assert table_of(data, plan) == []


def test_a_plan_reads_little_of_a_large_file() -> None:
    data = written(rows(1000)) * 1
    data += data[data.index(b"\n") + 1 :] * 20
    read: list[int] = []

    def measured(start: int, end: int) -> bytes:
        read.append(end - start)
        return data[start:end]

    plan = plan_shards(measured, len(data), CONTRACTS, shard_bytes=len(data) // 4)
    assert isinstance(plan, ShardPlan)
    assert len(plan.shards) == 4
    assert sum(read) < len(data) / 10


def test_a_long_stretch_without_a_sound_line_is_still_cut_at_records() -> None:
    lines = ["1;2" if at % 2 else '"odd' for at in range(2 * shard_plan.MOST_WINDOW // 4)]
    data = "\n".join([HEADER, FAULTLESS, *lines, FAULTLESS, ""]).encode()
    plan = planned(data, len(data) // 3)
    assert len(plan.shards) > 1
    assert scored(data, plan) == scored(data, planned(data, one_shard(data)))


def test_a_plan_survives_json() -> None:
    plan = planned(written(rows(10), bom=True), 300)
    assert len(plan.shards) > 1
    assert ShardPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize("data", [b"", b"a;b\n1;2\n"])
def test_a_file_that_fits_no_contract_has_no_plan(data: bytes) -> None:
    plan = plan_shards(lambda start, end: data[start:end], len(data), CONTRACTS, shard_bytes=5)
    assert isinstance(plan, FileProblem)


def _read_one(count: int) -> tuple[ShardPlan, Sequence[ShardRows]]:
    data = written(rows(count))
    plan = planned(data, one_shard(data))
    return plan, list(read_shard(data[plan.shards[0].start :], plan))


def test_what_the_model_could_not_say_is_said() -> None:
    plan, (read,) = _read_one(3)
    some = Answers.joined(
        [answers(read.features.slice(0, 1)), Answers.none("odd row"), answers(read.features.slice(2))]
    )
    piece = ScoredRows(read=read, answers=some, model_version="7")
    shard = write_shard([piece], plan.header, number=1, source=b"")
    lines = shard.lines.decode().splitlines()
    assert lines[1].endswith(";;;;7;odd row")
    assert [line.endswith(";7;") for line in lines] == [True, False, True]
    table = pq.read_table(pa.BufferReader(shard.table)).to_pylist()
    assert [row["problem"] for row in table] == [None, "odd row", None]
    assert [row["decision"] is None for row in table] == [False, True, False]
    assert sum(piece.answers.decile_counts()) == 2


def test_a_text_stands_once_in_its_column_however_many_records_hold_it() -> None:
    """Else bytes of the file would be whatever the process's memory held before."""
    bad = FAULTLESS.replace("unemployed", "astronaut").rsplit(";", 1)[0]
    good = FAULTLESS.rsplit(";", 1)[0]
    header = HEADER.rsplit(";", 1)[0]
    data = "\n".join([header, bad, good, bad, bad, "1;2", "1;2", good]).encode() + b"\n"
    plan = planned(data, 1 << 20)
    (piece,) = pieces_of(data, plan, 0)
    batch = scored_file._batch(piece, scored_file._schema(plan.header))
    assert batch.column("problem").to_pylist().count(None) == 2
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            texts = column.dictionary.to_pylist()
            assert len(texts) == len(set(texts)), name
