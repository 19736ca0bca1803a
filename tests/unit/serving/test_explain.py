"""Explanations: they add up to the log-odds, in every kind of member, and come where they are asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from serving.answer import answer
from serving.arrow import CONTENT_TYPE
from serving.explain import importance, reasons
from serving.linear import FittedLinear, Levels, Linear, Slope
from serving.model import LIST, SINGLE, load, save
from serving.schema import request_schema, response_schema
from tests.unit.serving.test_schema import fits
from tests.unit.serving.test_variants import (
    DAY,
    FACTS,
    FEATURES,
    FOREST,
    LINE,
    LISTED,
    LISTS,
    ROWS,
    Member,
    arrow,
    line,
    member,
    shapes,
    variants,
)

ALL = 100


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    save(folder, features=FEATURES, list_columns=[LISTED, DAY], variants=variants(), facts=FACTS)
    return folder


def surest(intercept: float) -> Member:
    """Surer than a member of several may be."""
    sure = Linear(intercept=intercept, terms=LINE.terms)
    return Member(name="sure", kind="linear", columns=("age", "job"), weight=0.5, text=sure.to_text())


def log_odds(probability: Any) -> Any:
    return np.log(probability / (1 - probability))


@pytest.mark.parametrize(
    "members",
    [
        [member("plain", 1.0, ("age", "job", "rate"))],
        [member("forest", 1.0, ("rate", "job", "age"), **FOREST)],
        [line(1.0)],
        variants()[SINGLE],
        [surest(500.0), line(0.5)],
        [surest(-500.0), line(0.5)],
        [line(0.8)],
        [surest(500.0), line(0.9)],
    ],
    ids=[
        "trees",
        "averaged trees",
        "a line",
        "several",
        "one is clipped above",
        "one is clipped below",
        "one at another temperature",
        "several at another temperature",
    ],
)
def test_contributions_and_what_is_expected_add_up_to_the_log_odds(
    tmp_path: Path, members: list[Member]
) -> None:
    save(tmp_path, features=FEATURES, variants={SINGLE: members}, facts=FACTS)
    model = load(tmp_path)
    found = reasons(model, model.encode(ROWS), ALL)
    total = found.expected + found.contributions.sum(axis=1)
    assert total == pytest.approx(log_odds(model.probabilities(ROWS)), abs=1e-9)


def test_they_add_up_for_a_list_too(several: Path) -> None:
    model, rows = load(several), {**ROWS, **LISTS}
    found = reasons(model, model.encode(rows), ALL)
    total = found.expected + found.contributions.sum(axis=1)
    assert total == pytest.approx(log_odds(model.probabilities(rows)), abs=1e-9)
    told = {reason["column"] for row in range(5) for reason in found.of(row)}
    assert "log_clients" in told
    alone = reasons(model, model.encode(ROWS), ALL)
    assert not {reason["column"] for row in range(5) for reason in alone.of(row)} & {"log_clients", "log_day"}


def test_a_line_is_explained_from_its_terms_means() -> None:
    terms = (
        Slope(column="age", mean=40, scale=10, low=20, high=80, coefficient=0.5, missing=0.25, expected=0.1),
        Levels(column="job", coefficients={"admin.": -0.5, "student": 1.0}, missing=0.0, expected=-0.2),
    )
    fitted = FittedLinear(Linear(intercept=-2.0, terms=terms), FEATURES[:2])
    said, expected = fitted.contributions(np.array([[60.0, 1.0], [np.nan, np.nan]]))
    assert said.ravel().tolist() == pytest.approx([0.9, 1.2, 0.15, 0.2])
    assert expected == pytest.approx(-2.1)


def test_the_largest_come_first_and_as_many_as_are_wanted(several: Path) -> None:
    model = load(several)
    matrix = model.encode(ROWS)
    every, two = reasons(model, matrix, ALL), reasons(model, matrix, 2)
    for row in range(5):
        sizes = [abs(reason["contribution"]) for reason in every.of(row)]
        assert sizes == sorted(sizes, reverse=True)
        assert two.of(row) == every.of(row)[:2]


def test_importance_is_the_mean_size_of_what_the_variant_reads(several: Path) -> None:
    model, rows = load(several), {**ROWS, **LISTS}
    for given, variant in ((ROWS, SINGLE), (rows, LIST)):
        matrix = model.encode(given)
        said, _ = model.variants[variant].contributions(matrix)
        found = importance(model, matrix)
        sizes = np.abs(said).mean(axis=0)
        expected = {
            name: sizes[at] for at, name in enumerate(model.reads(LIST)) if name in model.reads(variant)
        }
        assert {one["column"]: one["value"] for one in found} == pytest.approx(expected)
        assert [one["value"] for one in found] == sorted((one["value"] for one in found), reverse=True)


# --- on request ---------------------------------------------------------------------------------------------------


def test_a_request_in_any_shape_may_ask_for_reasons(several: Path) -> None:
    model = load(several)
    expected = reasons(model, model.encode(ROWS), 2)
    for body in shapes(ROWS):
        said = json.loads(answer(model, json.dumps({**body, "explain": 2}).encode()).body)
        assert said["reasons"] == [expected.of(row) for row in range(5)]
        assert said["expected"] == expected.expected
        assert fits(response_schema(model), said)
        assert fits(request_schema(model), {**body, "explain": 2})
        for none in (body, {**body, "explain": 0}):
            assert (
                not {"reasons", "expected"} & json.loads(answer(model, json.dumps(none).encode()).body).keys()
            )


def asking(rows: dict[str, Any], wanted: str) -> bytes:
    table = pa.ipc.open_stream(arrow(rows)).read_all().replace_schema_metadata({"explain": wanted})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def test_an_arrow_request_asks_in_its_metadata(several: Path) -> None:
    model = load(several)
    expected = reasons(model, model.encode(ROWS), 2)
    with pa.ipc.open_stream(answer(model, asking(ROWS, "2"), CONTENT_TYPE).body) as stream:
        table = stream.read_all()
    assert table["reasons"].to_pylist() == [expected.of(row) for row in range(5)]
    assert float(table.schema.metadata[b"expected"]) == expected.expected


def test_a_row_without_a_score_has_no_reasons(several: Path) -> None:
    model, rows = load(several), {**ROWS, "job": ["student", "astronaut", None, "student", "admin."]}
    said = json.loads(answer(model, json.dumps({**shapes(rows)[0], "explain": 1}).encode()).body)
    assert [why is None for why in said["reasons"]] == [False, True, False, False, False]
    with pa.ipc.open_stream(answer(model, asking(rows, "1"), CONTENT_TYPE).body) as stream:
        assert stream.read_all()["reasons"].is_null().to_pylist() == [False, True, False, False, False]


@pytest.mark.parametrize("wanted", [-1, 101, 1.0, True, "3", None, [3]])
def test_a_wish_that_is_no_number_of_reasons_is_refused(several: Path, wanted: Any) -> None:
    said = answer(load(several), json.dumps({**shapes(ROWS)[0], "explain": wanted}).encode())
    error = json.loads(said.body)["error"]
    assert (said.status, error["code"]) == (400, "BadExplain")
    assert "a whole number up to 100" in error["message"]


@pytest.mark.parametrize("wanted", ["-1", "101", "some", "", "²"])
def test_a_wish_in_metadata_that_is_no_number_of_reasons_is_refused(several: Path, wanted: str) -> None:
    said = answer(load(several), asking(ROWS, wanted), CONTENT_TYPE)
    assert (said.status, json.loads(said.body)["error"]["code"]) == (400, "BadExplain")


def test_no_rows_have_no_reasons(several: Path) -> None:
    model = load(several)
    body = {"inputs": {name: [] for name in ROWS}, "explain": 3}
    assert json.loads(answer(model, json.dumps(body).encode()).body)["reasons"] == []


def test_the_line_of_the_other_tests_expects_nothing_of_its_terms() -> None:
    assert [term.expected for term in LINE.terms] == [0.0, 0.0]
