"""Rows as the numbers that trees see: alike for one row and for many, from JSON and from Arrow, or refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.arrow import matrix_of
from serving.features import BadValue, Feature, blank, encode

AGE = Feature(name="age", type="integer")
JOB = Feature(name="job", type="category", values=("admin.", "student", "é"))
RATE = Feature(name="rate", type="number")
FEATURES = (AGE, JOB, RATE)

ages = st.none() | st.integers(-5, 120)
jobs = st.none() | st.sampled_from([*JOB.values, "ADMIN.", "", "astronaut"])
rates = st.none() | st.floats(allow_nan=False)
ROWS = st.lists(st.tuples(ages, jobs, rates), min_size=1, max_size=20)


def columns(rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {feature.name: [row[at] for row in rows] for at, feature in enumerate(FEATURES)}


@given(rows=ROWS)
def test_a_value_is_its_number_or_missing(rows: list[tuple[Any, ...]]) -> None:
    matrix = encode(FEATURES, columns(rows))
    for said, (age, job, rate) in zip(matrix.tolist(), rows, strict=True):
        place = JOB.values.index(job) if job in JOB.values else None
        for number, expected in zip(said, (age, place, rate), strict=True):
            assert math.isnan(number) if expected is None else number == expected


@given(rows=ROWS)
def test_one_row_at_a_time_is_the_same_as_all_at_once(rows: list[tuple[Any, ...]]) -> None:
    """One row has a way of its own, which is quicker."""
    together = encode(FEATURES, columns(rows))
    np.testing.assert_array_equal(together, np.vstack([encode(FEATURES, columns([row])) for row in rows]))


@settings(deadline=None)
@given(rows=ROWS, cuts=st.lists(st.integers(1, 19), max_size=3))
def test_arrow_and_json_are_the_same_numbers(rows: list[tuple[Any, ...]], cuts: list[int]) -> None:
    kinds = [pa.int64(), pa.string(), pa.float64()]
    table = pa.table(
        {f.name: pa.array([row[at] for row in rows], kinds[at]) for at, f in enumerate(FEATURES)}
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(rows)], strict=True):
            stream.write_table(table.slice(start, max(0, end - start)))
    np.testing.assert_array_equal(
        matrix_of(bytes(sink.getvalue()), FEATURES), encode(FEATURES, columns(rows))
    )


@pytest.mark.parametrize("others", [0, 3])
@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("age", "old", "'age' holds a value that is no number; send numbers or null"),
        ("age", [1], "'age'"),
        ("age", {}, "'age'"),
        ("age", 10**400, "'age'"),
        ("rate", "1,5", "'rate'"),
        ("job", ["student"], "'job' holds a value that is no text; send texts or null"),
        ("job", {"a": 1}, "'job'"),
    ],
)
def test_a_value_of_another_kind_is_refused_alone_and_among_others(
    name: str, value: Any, named: str, others: int
) -> None:
    good = {"age": 30, "job": "student", "rate": 0.5}
    rows = [good] * others + [{**good, name: value}]
    with pytest.raises(BadValue, match=named):
        encode(FEATURES, {key: [row[key] for row in rows] for key in good})


def test_columns_that_are_no_feature_are_not_looked_at() -> None:
    given = {**columns([(30, "student", 0.5)]), "duration": [object()], "y": "never"}
    assert encode(FEATURES, given).tolist() == [[30.0, 1.0, 0.5]]


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_a_matrix_lies_column_by_column(rows: int) -> None:
    """As the compiled trees read it: in the other order it would be turned for each request."""
    made = encode(FEATURES, columns([(30, "student", 0.5)] * rows))
    assert made.shape == (rows, 3)
    assert made.flags.f_contiguous
    assert blank(rows, FEATURES).flags.f_contiguous


def test_each_call_has_a_matrix_of_its_own() -> None:
    given = columns([(30, "student", 0.5)] * 2)
    one, other = encode(FEATURES, given), encode(FEATURES, given)
    one[:] = 0
    assert other[0, 0] == 30


@pytest.mark.parametrize("feature", [AGE, JOB, Feature(name='ä "b"', type="category", values=())])
def test_a_feature_survives_its_json(feature: Feature) -> None:
    assert Feature.from_json(feature.to_json()) == feature
    assert ("values" in feature.to_json()) is bool(feature.values)


def test_categories_keep_the_number_they_were_learned_by() -> None:
    assert JOB.codes == {"admin.": 0.0, "student": 1.0, "é": 2.0}
