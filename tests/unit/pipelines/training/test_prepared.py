"""The prepared folder as later steps read it: columns by name, gaps where there are none, answers as numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.training import prepared
from serving.features import Feature

CONTRACT = {
    "columns": [
        {"name": "age", "type": "integer"},
        {"name": "duration", "type": "integer", "known_only_after_call": True},
        {"name": "job", "type": "category", "values": ["admin.", "student"]},
        {"name": "rate", "type": "number", "known_only_after_call": False},
    ],
    "target": {"name": "y", "values": ["no", "yes"], "positive": "yes"},
}


def folder(path: Path, **columns: Any) -> Path:
    (path / prepared.CONTRACT).write_text(json.dumps(CONTRACT))
    rows = {"age": [30, None, 50], "job": ["student", None, "student"], "y": ["yes", "no", "yes"], **columns}
    pq.write_table(pa.table(rows), path / prepared.TRAIN)
    return path


def test_features_are_what_is_known_before_the_call_in_the_contracts_order() -> None:
    assert prepared.features_of(CONTRACT) == (
        Feature(name="age", type="integer"),
        Feature(name="job", type="category", values=("admin.", "student")),
        Feature(name="rate", type="number"),
    )


@pytest.mark.parametrize(
    ("values", "other"),
    [(["no", "yes"], "no"), (["yes", "never"], "never"), (["yes"], None), (["a", "yes", "b"], None)],
)
def test_the_other_answer_has_a_word_where_it_is_one(values: list[str], other: str | None) -> None:
    assert prepared.words({"target": {"values": values, "positive": "yes"}}) == ("yes", other)


def test_columns_come_as_they_are_asked_for(tmp_path: Path) -> None:
    found = prepared.read_rows(folder(tmp_path), prepared.TRAIN, ["job", "age"])
    assert list(found.columns) == ["job", "age"]
    assert found.columns["job"] == ["student", None, "student"]
    np.testing.assert_array_equal(found.columns["age"], [30, np.nan, 50])


def test_a_column_that_the_file_does_not_have_is_a_gap_in_every_row(tmp_path: Path) -> None:
    found = prepared.read_rows(folder(tmp_path), prepared.TRAIN, ["age", "balance"])
    assert found.columns["balance"] == [None, None, None]


def test_a_column_asked_for_twice_is_there_once(tmp_path: Path) -> None:
    found = prepared.read_rows(folder(tmp_path), prepared.TRAIN, iter(["age", "job", "age"]))
    assert list(found.columns) == ["age", "job"]


def test_answers_are_one_for_the_contracts_positive_and_nothing_else(tmp_path: Path) -> None:
    found = prepared.read_rows(folder(tmp_path, y=["yes", "YES", None]), prepared.TRAIN, ["age"])
    assert found.answers.tolist() == [1.0, 0.0, 0.0]
    assert found.answers.dtype == np.float64


def test_equal_texts_are_one_object_whatever_the_row_groups(tmp_path: Path) -> None:
    """A million rows of a dozen words take the memory of a dozen words."""
    words = ["".join(("stu", "dent")) if n % 2 else "admin." for n in range(400)]
    made = pa.table({"job": words, "y": ["no"] * 400})
    folder(tmp_path)
    pq.write_table(made, tmp_path / prepared.TRAIN, row_group_size=50)
    column = prepared.read_rows(tmp_path, prepared.TRAIN, ["job"]).columns["job"]
    assert column == words
    assert len({id(text) for text in column}) == 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.none() | st.text(max_size=5), min_size=1, max_size=40))
def test_any_texts_and_gaps_come_back_as_they_were(tmp_path: Path, values: list[str | None]) -> None:
    folder(tmp_path)
    table = pa.table({"job": pa.array(values, pa.string()), "y": ["no"] * len(values)})
    pq.write_table(table, tmp_path / prepared.TRAIN)
    assert prepared.read_rows(tmp_path, prepared.TRAIN, ["job"]).columns["job"] == values


def test_a_file_without_the_target_is_none_to_learn_from(tmp_path: Path) -> None:
    folder(tmp_path)
    pq.write_table(pa.table({"age": [1]}), tmp_path / prepared.TRAIN)
    with pytest.raises((KeyError, pa.ArrowInvalid), match="y"):
        prepared.read_rows(tmp_path, prepared.TRAIN, ["age"])
