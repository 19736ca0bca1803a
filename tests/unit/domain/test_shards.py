"""Shards: whole records, anywhere, whose outputs together are the output of the whole file."""

from __future__ import annotations

import csv
import io
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.dialect import FileProblem
from shared.domain.scoring import ADDED, Record, Scored, ShardPlan, plan_shards, read_shard, write_scored
from tests.unit.domain.clients import BANK, CONTRACTS, FAULTLESS, HEADER, NAMES, in_pieces, rows, written
from tests.unit.domain.test_row_admission import LINES


def planned(data: bytes, every: int, pieces: int = 1 << 20) -> ShardPlan:
    plan = plan_shards(in_pieces(data, pieces), CONTRACTS, rows_per_shard=every)
    assert isinstance(plan, ShardPlan)
    return plan


def answer(record: Record) -> Scored:
    """A model that tells its rows apart."""
    return Scored(probability=random.Random(repr(record.values)).random(), decision="call", model_version="7")


def scored(data: bytes, plan: ShardPlan) -> bytes:
    out = []
    for shard in reversed(plan.shards):
        records = read_shard(data[shard.start : shard.end], plan, shard)
        answers = [answer(record) for record in records if record.values is not None]
        out.append(write_scored(records, answers, plan, shard))
    return b"".join(reversed(out))


@given(LINES, st.integers(1, 6), st.integers(1, 300))
def test_shards_together_are_the_whole_for_any_cut(lines: list[str], every: int, pieces: int) -> None:
    data = "\n".join([HEADER, *lines]).encode()
    whole, plan = planned(data, 1000), planned(data, every, pieces)
    assert plan.rows == whole.rows
    assert [shard.rows for shard in plan.shards[:-1]] == [every] * (len(plan.shards) - 1)
    assert plan.shards[0].start == len(HEADER) + 1 or not lines
    assert [shard.end for shard in plan.shards] == [*(s.start for s in plan.shards[1:]), len(data)]
    assert scored(data, plan) == scored(data, whole)


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
    expected = scored(data, planned(data, 1000))
    monkeypatch.setattr("shared.domain.table_reader.BLOCK", block)
    assert scored(data, planned(data, 7, pieces=501)) == expected


def test_every_record_comes_out_once_in_order_and_the_bad_ones_say_why() -> None:
    bad = FAULTLESS.replace("30;", "300;")
    data = "\r\n".join([HEADER, FAULTLESS, bad, "1;2", "", '"' + FAULTLESS, FAULTLESS]).encode()
    table = list(csv.reader(io.StringIO(scored(data, planned(data, 2)).decode(), newline=""), delimiter=";"))
    assert table[0] == [*NAMES, *ADDED]
    assert [row[: len(NAMES)] for row in table[1:3]] == [FAULTLESS.split(";"), bad.split(";")]
    assert [row[0] for row in table[3:5]] == ["1;2", '"' + FAULTLESS]
    assert [bool(row[-4]) for row in table[1:]] == [True, False, False, False, True]
    assert [row[-1] for row in table[1:]] == [
        "",
        "age: '300' is above 120 (the contract allows 17 to 120)",
        "expected 17 values, found 2 (give each column one value; quote values that hold the delimiter)",
        'a quote (") is opened and not closed (remove the quote, or close it)',
        "",
    ]


def test_features_are_asked_about_and_other_columns_are_carried_through() -> None:
    names = [name for name in reversed(NAMES) if name not in ("duration", "y")] + ["id"]
    table = [[dict(zip(NAMES, row, strict=True)).get(name, "client 1") for name in names] for row in rows(3)]
    data = written(table, names=names, delimiter=",", bom=True)
    plan = planned(data, 2)
    records = read_shard(data[plan.shards[0].start : plan.shards[0].end], plan, plan.shards[0])
    assert plan.features == [column.name for column in BANK.features]
    values = records[0].values
    assert values is not None
    assert values[0] == int(table[0][names.index("age")])
    out = scored(data, plan).decode()
    assert out.startswith("\ufeff" + ",".join(names) + ",probability,")
    assert out.count("client 1") == 3


def test_a_file_without_rows_gives_a_header() -> None:
    data = f"{HEADER}\n".encode()
    plan = planned(data, 5)
    assert [(shard.rows, shard.start, shard.end) for shard in plan.shards] == [(0, len(data), len(data))]
    assert scored(data, plan).decode() == ";".join([*NAMES, *ADDED]) + "\r\n"


def test_a_plan_survives_json() -> None:
    plan = planned(written(rows(10), bom=True), 3)
    assert ShardPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize("data", [b"", b"a;b\n1;2\n"])
def test_a_file_that_fits_no_contract_has_no_plan(data: bytes) -> None:
    assert isinstance(plan_shards([data], CONTRACTS, rows_per_shard=5), FileProblem)


def test_what_the_model_could_not_say_is_said() -> None:
    data = written(rows(1))
    plan = planned(data, 5)
    records = read_shard(data[plan.shards[0].start :], plan, plan.shards[0])
    out = write_scored(
        records, [Scored(probability=None, problem="the model refused the row")], plan, plan.shards[0]
    )
    assert out.decode().endswith(";;;;the model refused the row\r\n")


@pytest.mark.parametrize("probability", [float("nan"), float("inf"), -0.1, 1.1])
def test_no_probability_is_written_that_is_none(probability: float) -> None:
    data = written(rows(1))
    plan = planned(data, 5)
    records = read_shard(data[plan.shards[0].start :], plan, plan.shards[0])
    with pytest.raises(ValueError, match="no probability"):
        write_scored(records, [Scored(probability=probability)], plan, plan.shards[0])


@pytest.mark.parametrize("answers", [0, 1, 3])
def test_answers_must_be_as_many_as_rows_asked_about(answers: int) -> None:
    data = written(rows(2))
    plan = planned(data, 5)
    records = read_shard(data[plan.shards[0].start :], plan, plan.shards[0])
    with pytest.raises(ValueError, match=f"2 rows were asked about and {answers} answered"):
        write_scored(records, [Scored(probability=0.5)] * answers, plan, plan.shards[0])


def test_other_bytes_than_planned_are_noticed() -> None:
    data = written(rows(4))
    plan = planned(data, 2)
    with pytest.raises(ValueError, match="has 4 records, the plan says 2"):
        read_shard(data[plan.shards[0].start :], plan, plan.shards[0])
