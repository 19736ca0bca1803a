"""What a contract lets be mended on reading: nothing else is, each is counted, and training and scoring read alike."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.batches.shard_plan import ShardPlan, plan_shards
from shared.domain.batches.shard_rows import read_shard
from shared.domain.tables.admission import check_rows
from shared.domain.tables.contract import MENDS, Contract
from shared.domain.tables.dialect import FileProblem
from shared.domain.tables.mended import Mended, of_header
from shared.errors import ConfigurationError
from tests.unit.domain.clients import ADDITIONAL, rows, written

ALL = list(MENDS)
BODY = ADDITIONAL.to_json()
COLUMNS = [column.name for column in ADDITIONAL.columns_for("training")]


def contract(*mend: str, target: dict[str, Any] | None = None, **columns: dict[str, Any]) -> Contract:
    """bank-additional that lets so much be mended; columns: more settings of one of its columns"""
    described = [column | columns.get(column["name"], {}) for column in BODY["columns"]]
    return Contract.from_json(
        {**BODY, "mend": list(mend), "columns": described, "target": BODY["target"] | (target or {})}
    )


def table(**values: str) -> bytes:
    """Three rows, the second with other texts in some columns, named with underscores for dots."""
    found = rows(3, contract=ADDITIONAL)
    for name, text in values.items():
        found[1][COLUMNS.index(name.replace("__", "."))] = text
    return written(found, names=COLUMNS)


def read(
    data: bytes, by: Contract, *, waived: bool = False
) -> tuple[int, dict[tuple[str, str], int], list[dict[str, Any]]]:
    """Rows admitted, what was mended, and the rows."""
    admission = check_rows([data], [by], waived=waived)
    assert admission.problem == ""
    found = [
        dict(zip(batch.columns, values, strict=True))
        for batch in admission.batches()
        for values in zip(*(column.to_pylist() for column in batch.columns.values()), strict=True)
    ]
    told = {(each["column"], each["how"]): each["values"] for each in admission.tally.mended}
    return admission.tally.accepted, told, found


VALUES = [
    ("blanks", {"age": " 57 "}, "age", 57),
    ("blanks", {"job": "\u00a0retired "}, "job", "retired"),
    ("blanks", {"y": "yes "}, "y", "yes"),
    ("case", {"job": "Retired"}, "job", "retired"),
    ("case", {"y": "YES"}, "y", "yes"),
    ("whole-numbers", {"age": "57.0"}, "age", 57),
    ("whole-numbers", {"age": "57."}, "age", 57),
    ("decimal-comma", {"euribor3m": "4,857"}, "euribor3m", 4.857),
    ("decimal-comma", {"emp__var__rate": "-0,1"}, "emp.var.rate", -0.1),
]


@pytest.mark.parametrize(("mend", "change", "column", "value"), VALUES)
def test_a_value_is_mended_where_the_contract_says_so_and_counted(
    mend: str, change: dict[str, str], column: str, value: object
) -> None:
    accepted, told, found = read(table(**change), contract(mend))
    assert (accepted, found[1][column]) == (3, value)
    assert told == {(column, MENDS[mend]): 1}  # type: ignore[index]
    assert read(table(**change), contract(*(other for other in ALL if other != mend)))[:2] == (2, {})
    assert read(table(**change), ADDITIONAL)[:2] == (2, {})


SPELT = ("", {"job": "boss"}, "job", "management")


@pytest.mark.parametrize(("mend", "change", "column", "value"), [*VALUES, SPELT])
def test_what_is_mended_is_mended_in_rows_that_are_readmitted_too(
    mend: str, change: dict[str, str], column: str, value: object
) -> None:
    beside = {"campaign": "900"} if column == "age" else {"age": "130"}
    by = contract(*([mend] if mend else []), job={"spellings": {"boss": "management"}})
    assert read(table(**change, **beside), by)[0] == 2
    accepted, told, found = read(table(**change, **beside), by, waived=True)
    assert (accepted, found[1][column]) == (3, value)
    assert {name: found[1][name] for name in beside} == {name: int(text) for name, text in beside.items()}
    assert told == {(column, MENDS.get(mend, "another spelling of a value")): 1}  # type: ignore[call-overload]


def test_what_a_mend_cannot_save_is_readmitted_as_it_is() -> None:
    accepted, told, found = read(table(job="Astronaut", age="130.0"), contract(*ALL), waived=True)
    assert (accepted, found[1]["job"], found[1]["age"]) == (3, "Astronaut", 130)
    assert told == {("age", MENDS["whole-numbers"]): 1}


@pytest.mark.parametrize(
    "change",
    [
        {"age": "57.5"},
        {"age": "5,7"},
        {"age": "5 7"},
        {"age": "130.0"},
        {"euribor3m": "1,000,5"},
        {"job": "Ret."},
    ],
)
def test_what_is_wrong_all_the_same_is_not_mended(change: dict[str, str]) -> None:
    assert read(table(**change), contract(*ALL))[:2] == (2, {})


def test_several_things_are_mended_in_one_value() -> None:
    accepted, told, _ = read(table(age=" 57,0"), contract(*ALL))
    assert accepted == 3
    assert {how for _, how in told} == {MENDS[mend] for mend in ("blanks", "decimal-comma", "whole-numbers")}


def test_answers_may_be_spelt_in_other_ways() -> None:
    spelt = contract(target={"spellings": {"1": "yes", "0": "no", "true": "yes"}})
    for text, value in (("1", "yes"), ("0", "no"), ("true", "yes")):
        accepted, told, found = read(table(y=text), spelt)
        assert (accepted, found[1]["y"], told) == (3, value, {("y", "another spelling of a value"): 1})
    assert read(table(y="True"), spelt)[0] == 2
    assert read(table(y="True"), contract("case", target={"spellings": {"true": "yes"}}))[0] == 2


def test_a_file_mended_all_over_is_the_file_as_it_should_be() -> None:
    good = rows(5000, contract=ADDITIONAL)
    at = COLUMNS.index("age")
    spelt = [[f"{cell}.0" if place == at else cell for place, cell in enumerate(row)] for row in good]
    mended = check_rows([written(spelt, names=COLUMNS)], [contract("whole-numbers")])
    plain = check_rows([written(good, names=COLUMNS)], [ADDITIONAL])
    for admission in (mended, plain):
        assert sum(batch.rows for batch in admission.batches()) == 5000
    assert mended.tally.content_hash == plain.tally.content_hash
    assert mended.tally.mended == [{"column": "age", "how": MENDS["whole-numbers"], "values": 5000}]


def test_more_mended_texts_than_are_remembered_are_all_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.domain.tables.values.MOST_REMEMBERED", 4)
    found = rows(300, contract=ADDITIONAL)
    for row in found:
        row[0] += ".0"
    assert read(written(found, names=COLUMNS), contract("whole-numbers"))[1] == {
        ("age", MENDS["whole-numbers"]): 300
    }


def test_rows_of_empty_values_are_left_out_and_counted() -> None:
    data = table() + b";" * (len(COLUMNS) - 1) + b"\n" + b" ;" * (len(COLUMNS) - 1) + b"\n"
    admission = check_rows([data], [contract("empty-rows")])
    rejects = [reject for batch in admission.batches() for reject in batch.rejects]
    tally = admission.tally
    assert (tally.records, tally.accepted, tally.rejected, tally.blank_lines, rejects) == (3, 3, 0, 2, [])
    assert tally.mended == [{"column": "", "how": MENDS["empty-rows"], "values": 2}]
    assert read(data, ADDITIONAL)[0] == 3


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_a_first_column_that_numbers_the_rows_is_left_out(name: str) -> None:
    found = [[str(at), *row] for at, row in enumerate(rows(3, contract=ADDITIONAL))]
    data = written(found, names=[name, *COLUMNS])
    assert read(data, contract("index-column"))[:2] == (3, {("", MENDS["index-column"]): 1})
    assert "unexpected" in check_rows([data], [ADDITIONAL]).problem
    elsewhere = written(found, names=["age", name, *COLUMNS[1:]])
    assert "unexpected" in check_rows([elsewhere], [contract("index-column")]).problem


def test_names_written_otherwise_are_read_and_told() -> None:
    names = [name.upper().replace(".", "_") for name in COLUMNS]
    data = written(rows(3, contract=ADDITIONAL), names=names)
    accepted, told, _ = read(data, contract("names"))
    assert (accepted, len(told), told["emp.var.rate", MENDS["names"]]) == (3, 21, 1)


def test_a_column_may_have_other_names() -> None:
    by = contract(age={"aliases": ["Alter", "age_years"]}, target={"aliases": ["deposit"]})
    data = written(rows(3, contract=ADDITIONAL), names=["Alter", *COLUMNS[1:-1], "deposit"])
    assert read(data, by)[:2] == (3, {("age", "an alias of its name"): 1, ("y", "an alias of its name"): 1})
    assert (
        "more than once 'age'"
        in check_rows([written([], names=["age", "Alter", *COLUMNS[1:]])], [by]).problem
    )


def test_a_file_to_score_is_mended_alike_and_comes_out_with_its_own_names() -> None:
    by = contract(*ALL, age={"aliases": ["Alter"]})
    features = [column.name for column in ADDITIONAL.features]
    at = [COLUMNS.index(name) for name in features]
    good = [[row[place] for place in at] for row in rows(80, contract=ADDITIONAL)]
    names = [name.title() if name != "age" else "Alter" for name in features]
    spelt = [[f" {row[0]}.0", row[1].upper(), *row[2:]] for row in good]
    plain, mended = scored(written(good, names=features), ADDITIONAL), scored(written(spelt, names=names), by)
    assert mended[0] == plain[0]
    assert mended[1] == tuple(names)
    assert plain[2] == {}
    assert mended[2]["age", MENDS["blanks"]] == mended[2]["age", MENDS["whole-numbers"]] == 80
    assert mended[2]["job", MENDS["case"]] == 80
    assert mended[2]["emp.var.rate", MENDS["names"]] == mended[2]["age", "an alias of its name"] == 1


def scored(data: bytes, by: Contract) -> tuple[list[Any], tuple[str, ...], Mended]:
    """What the model gets, the columns of the output, and what was mended."""
    plan = plan_shards(lambda start, end: data[start:end], len(data), [by], shard_bytes=1 << 20)
    assert isinstance(plan, ShardPlan), plan
    again = ShardPlan.from_json(plan.to_json())
    found, told = [], of_header(again.header, by, "scoring")
    for piece in read_shard(data[again.shards[0].start :], again):
        assert not piece.problems
        found += piece.features.to_pylist()
        told += piece.mended
    return found, again.header.names, told


def test_a_title_above_a_file_to_score_is_named_too() -> None:
    data = b"Clients of May\n" + table()
    plan = plan_shards(lambda start, end: data[start:end], len(data), [ADDITIONAL], shard_bytes=100)
    assert isinstance(plan, FileProblem)
    assert "line 1 is no header" in plan.message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mend": ["everything"]}, "'everything'"),
        ({"columns": [{"name": "a", "type": "integer", "aliases": ["y"]}]}, "'y' is named more than once"),
        (
            {"target": {"name": "y", "values": ["no"], "positive": "no", "spellings": {"1": "yes"}}},
            "none of its values",
        ),
        ({"target": {"name": "y", "values": ["no"], "positive": "no", "spellings": {1: "no"}}}, "quote it"),
    ],
)
def test_a_contract_whose_mending_cannot_be_says_why(change: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Contract.from_json({**BODY, **change})
    assert said in str(caught.value)


def test_json_gives_the_settings_back() -> None:
    by = contract(
        *ALL, age={"aliases": ["Alter"]}, job={"spellings": {"boss": "management"}}, target={"aliases": ["z"]}
    )
    assert Contract.from_json(by.to_json()) == by
