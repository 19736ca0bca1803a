"""A request's shapes: what is accepted means the same in each, and whatever else JSON can say is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.payload import SHAPES, WHERE, BadRequest, columns_of

WANTED = ["age", "job"]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4)
NAMES = st.sampled_from(["age", "job", "data", "columns", "input_data", "Inputs", "inputs", "x"])
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
ROWS = st.lists(st.tuples(SCALARS, SCALARS, SCALARS), max_size=8)


def refusal(body: Any, wanted: list[str] = WANTED) -> tuple[str, str]:
    with pytest.raises(BadRequest) as caught:
        columns_of(body, wanted)
    return caught.value.code, str(caught.value)


@given(rows=ROWS)
def test_every_shape_of_the_same_rows_is_the_same_columns(rows: list[tuple[Any, ...]]) -> None:
    names = ["job", "x", "age"]
    records = [dict(zip(names, row, strict=True)) for row in rows]
    table = {"columns": names, "index": list(range(len(rows))), "data": [list(row) for row in rows]}
    lists = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    expected = {"age": [row[2] for row in rows], "job": [row[0] for row in rows]}
    bodies = [{where: written} for where in WHERE for written in (records, table, lists)]
    bodies += [{"Inputs": {"data": written}} for written in (records, table, lists)]
    for body in bodies:
        found = columns_of({**body, "GlobalParameters": {"method": "predict"}, "params": {}}, WANTED)
        assert {name: list(values) for name, values in found.items()} == expected


def test_features_called_like_a_tables_parts_are_features() -> None:
    assert columns_of({"inputs": {"data": [1], "columns": [2]}}, ["data", "columns"]) == {
        "data": [1],
        "columns": [2],
    }


def answered_or_refused(body: Any) -> None:
    """Columns of one length each, or a code that clients know; never another exception."""
    try:
        found = columns_of(json.loads(json.dumps(body)), WANTED)
    except BadRequest as problem:
        code = problem.code
    else:
        code = ""
        assert list(found) == WANTED
        assert len({len(values) for values in found.values()}) == 1
    assert code in ("", "UnknownShape", "MissingColumn", "RowWidth")


@given(body=JSON)
def test_any_json_is_columns_of_one_length_or_refused(body: Any) -> None:
    answered_or_refused(body)


@given(inner=JSON)
def test_anything_may_stand_in_a_place_where_rows_are_expected(inner: Any) -> None:
    for body in (*({where: inner} for where in WHERE), {"input_data": {"columns": WANTED, "data": inner}}):
        answered_or_refused(body)
    for body in ({"Inputs": {"data": inner}}, {"inputs": {"age": inner, "job": [1]}}):
        answered_or_refused(body)


def test_input_data_counts_where_both_are_sent() -> None:
    both = {"input_data": [{"age": 1, "job": "a"}], "data": [{"age": 2, "job": "b"}]}
    assert columns_of(both, WANTED) == {"age": (1,), "job": ("a",)}


def test_a_single_wanted_column_is_a_column_still() -> None:
    assert columns_of({"data": [{"age": [1, 2]}, {"age": None}]}, ["age"]) == {"age": ([1, 2], None)}


@pytest.mark.parametrize("body", [{"data": []}, {"input_data": {"columns": WANTED, "data": []}}])
def test_no_rows_are_columns_without_values(body: Any) -> None:
    assert columns_of(body, WANTED) == {"age": (), "job": ()}


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        (None, "UnknownShape", "in none of input_data, data"),
        ("data", "UnknownShape", "in none of input_data, data"),
        ({}, "UnknownShape", "in none of input_data, data"),
        ({"data": None}, "UnknownShape", "neither a table, nor a list of records"),
        ({"data": "rows"}, "UnknownShape", "neither a table, nor a list of records"),
        ({"data": [{"age": 1, "job": 2}, []]}, "UnknownShape", "record 1 is no object"),
        ({"data": {"columns": WANTED}}, "UnknownShape", "lacks columns or data"),
        ({"data": {"columns": "age", "data": []}}, "UnknownShape", "lacks columns or data"),
        ({"data": {"columns": ["age"], "data": []}}, "MissingColumn", "data.columns lacks 'job'"),
        ({"data": {"columns": [], "data": []}}, "MissingColumn", "lacks 'age', 'job'"),
        ({"data": {"columns": WANTED, "data": [[1, 2], [1, 2, 3]]}}, "RowWidth", "row 1 has not one value"),
        ({"data": {"columns": WANTED, "data": [[1, 2], "ab"]}}, "RowWidth", "row 1"),
        ({"data": {"columns": WANTED, "data": [{"age": 1, "job": 2}]}}, "RowWidth", "each of the 2 columns"),
        ({"data": [{"age": 1, "job": 2}, {"job": 1}]}, "MissingColumn", "record 1 lacks 'age'"),
        ({"data": [{}]}, "MissingColumn", "record 0 lacks 'age', 'job'"),
        ({"inputs": {"age": [1]}}, "MissingColumn", "inputs lacks 'job'"),
        ({"inputs": {"age": [1], "job": 2}}, "UnknownShape", "column 'job' of inputs is no list"),
        ({"inputs": {"age": {"0": 1}, "job": {"0": 2}}}, "UnknownShape", "column 'age' of inputs is no list"),
        ({"inputs": {"age": [1, 2], "job": [2]}}, "RowWidth", "'age' 2, 'job' 1"),
        ({"Inputs": {"data": 3}}, "UnknownShape", "Inputs.data is neither"),
        ({"Inputs": {"WebServiceInput0": []}}, "MissingColumn", "Inputs lacks 'age', 'job'"),
    ],
)
def test_a_refusal_says_where_and_what_to_send(body: Any, code: str, named: str) -> None:
    found, message = refusal(body)
    assert found == code
    assert named in message
    if code == "UnknownShape":
        assert SHAPES in message
    if code == "MissingColumn":
        assert "with null where the value is not known" in message


def test_the_shapes_are_told_as_they_are_sent() -> None:
    for shape in (
        '{"data": [{"column": value, ...}]}',
        '{"Inputs": {"data": [',
        '{"dataframe_split": {"columns"',
    ):
        assert shape in SHAPES


def test_the_message_is_all_that_a_client_reads() -> None:
    assert refusal({"data": [{"job": 1}]})[1] == (
        "record 0 lacks 'age'; every feature must be there, with null where the value is not known"
    )


def test_a_refusal_never_repeats_a_clients_values() -> None:
    secret = "4711-0815"
    for body in (
        {"data": [secret]},
        {"data": [{"age": secret}]},
        {"data": {"columns": WANTED, "data": [[secret]]}},
        {"data": {"columns": WANTED, "data": secret}},
        {"inputs": {"age": secret, "job": [secret]}},
        {"inputs": {"age": [], "job": [secret]}},
    ):
        assert secret not in refusal(body)[1]
