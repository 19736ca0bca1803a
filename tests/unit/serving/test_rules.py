"""The contract's rules at the endpoint: the same rows, the same words and remedies as for a file of clients."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.training.prepared import features_of
from serving.answer import answer
from serving.features import Feature, encode
from serving.model import load
from serving.rules import checked, number_fault, word_fault
from shared.domain.models.arrow_wire import packed, unpacked
from shared.domain.tables.values import Fault, judge
from tests.unit.domain.clients import BANK
from tests.unit.serving.test_answers import NAMES, ask, table

GOOD = [70, "student", 0.1]
BROKEN: dict[str, tuple[list[Any], str]] = {
    "another case": ([70, "Student", 0.1], "job: 'Student' is not one of: admin., student (write 'student')"),
    "a new word": ([70, "astronaut", 0.1], "job: 'astronaut' is not one of: admin., student (mend it,"),
    "no word": ([70, "", 0.1], "job: empty value (give a value)"),
    "a number for a word": ([70, 3, 0.1], "job: '3' is not one of"),
    "below": ([-5, "student", 0.1], "age: '-5' is below 17 (the contract allows 17 to 120)"),
    "above": ([5191, "student", 0.1], "age: '5191' is above 120 (the contract allows 17 to 120)"),
    "a part of a year": ([57.5, "student", 0.1], "age: '57.5' is not an integer (write digits only, such as 42)"),
    "underscores": (["1_000", "student", 0.1], "age: '1_000' is not an integer"),
    "a word": (["old", "student", 0.1], "age: 'old' is not an integer"),
    "yes for a number": ([True, "student", 0.1], "age: 'True' is not an integer"),
    "infinite": ([70, "student", "inf"], "rate: 'inf' is not a number (write digits and a point, such as 4.857)"),
    "a comma": ([70, "student", "4,857"], "rate: '4,857' is not a number"),
    "blanks": ([70, "student", " 1"], "rate: ' 1' is not a number"),
    "two at once": ([-5, "Student", 0.1], "age: '-5' is below 17 (the contract allows 17 to 120); job: 'Student' is"),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("among", [True, False])
def test_a_row_that_breaks_a_rule_has_a_problem_in_place_of_its_score(
    folder: Path, how: str, among: bool
) -> None:
    row, problem = BROKEN[how]
    rows = [GOOD, row, GOOD] if among else [row]
    status, said = ask(folder, table(rows))
    at = rows.index(row)
    assert status == 200
    assert said["problem"][at].startswith(problem)
    assert [said[name][at] for name in ("probability", "decile", "decision")] == [None] * 3
    alone = ask(folder, table([GOOD]))[1]
    assert [said["probability"][place] for place in range(len(rows)) if place != at] == (
        alone["probability"] * (len(rows) - 1)
    )
    assert [text is None for text in said["problem"]] == [place != at for place in range(len(rows))]


@pytest.mark.parametrize("row", [["57", "student", "0.1"], [57.0, "student", 1], [57, "student", "1e-1"]])
def test_numbers_as_a_file_has_them_are_read(folder: Path, row: list[Any]) -> None:
    status, said = ask(folder, table([row]))
    assert (status, "problem" in said) == (200, False)


def test_a_deployment_may_refuse_the_request_instead_and_names_no_value(folder: Path) -> None:
    body = json.dumps(table([GOOD, [-5, "Student", 0.1], [5191, "student", 0.1]])).encode()
    said = answer(load(folder), body, refuse=True)
    error = json.loads(said.body)["error"]
    assert (said.status, error["code"]) == (400, "BrokenRows")
    assert error["message"].startswith(
        "2 of 3 rows break the contract; the first is row 1: age: below 17 (the"
    )
    assert "-5" not in error["message"]
    assert answer(load(folder), json.dumps(table([GOOD])).encode(), refuse=True).status == 200


def test_arrow_is_told_the_same(folder: Path) -> None:
    rows = [
        GOOD,
        [-5, "student", 0.1],
        [70, "Student", 0.1],
        [None, None, None],
        [70, "admin.", float("inf")],
    ]
    columns = list(zip(*rows, strict=True))
    batch = pa.record_batch(
        [pa.array(columns[0], pa.int32()), pa.array(columns[1]).dictionary_encode(), pa.array(columns[2])],
        names=NAMES,
    )
    said = answer(load(folder), packed([batch]), "application/vnd.apache.arrow.stream")
    assert said.status == 200
    version, answers = unpacked(said.body, rows=5)
    (_, by_json) = ask(folder, table([*rows[:4], [70, "admin.", "inf"]]))
    assert version == "3"
    assert answers.problems == {row: text for row, text in enumerate(by_json["problem"]) if text}
    assert answers.probability.to_pylist() == by_json["probability"]
    assert (
        answers.decile_counts()
        == np.bincount([tenth - 1 for tenth in by_json["decile"] if tenth], minlength=10).tolist()
    )


def test_the_rules_travel_with_the_model(folder: Path) -> None:
    age = load(folder).features[0]
    assert (age.minimum, age.maximum) == (17, 120)
    assert Feature.from_json(json.loads(json.dumps(age.to_json()))) == age
    learned = {feature.name: feature for feature in features_of(BANK.to_json())}
    for column in BANK.features:
        assert (learned[column.name].minimum, learned[column.name].maximum) == (
            column.minimum,
            column.maximum,
        )


def test_a_model_that_learned_before_there_were_bounds_has_none(folder: Path) -> None:
    model = load(folder)
    boundless = dataclasses.replace(
        model, features=tuple(Feature(name=f.name, type=f.type, values=f.values) for f in model.features)
    )
    assert "problem" not in json.loads(
        answer(boundless, json.dumps(table([[-5, "student", 0.1]])).encode()).body
    )


TEXTS = st.one_of(
    st.text(max_size=8),
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(str),
    st.sampled_from(["", " ", "1_000", "inf", "-0", "1e5", "Admin.", "admin.", "UNKNOWN", "1e400", "9" * 70]),
)


@pytest.mark.parametrize("column", BANK.features, ids=lambda column: column.name)
@given(text=TEXTS)
def test_a_text_is_judged_in_the_words_of_the_files_check(column: Any, text: str) -> None:
    (feature,) = (one for one in features_of(BANK.to_json()) if one.name == column.name)
    by_the_file = judge(column)(text)
    expected = by_the_file.message if isinstance(by_the_file, Fault) else None
    if column.type == "category":
        found = None if text in column.values else word_fault(feature, text).message
    else:
        fault = number_fault(feature, text)
        found = fault.message if fault else None
    assert found == expected


@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.integers(17, 120),
            st.none() | st.sampled_from(["admin.", "student"]),
            st.floats(-9, 9),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_rows_that_break_nothing_are_encoded_as_ever(rows: list[Any]) -> None:
    features = (
        Feature(name="age", type="integer", minimum=17, maximum=120),
        Feature(name="job", type="category", values=("admin.", "student")),
        Feature(name="rate", type="number"),
    )
    columns = dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True))
    matrix, broken = checked(features, columns)
    assert not broken
    np.testing.assert_array_equal(matrix, encode(features, columns))
