"""What the description for clients says is what the endpoint takes and answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from serving import arrow
from serving.answer import answer
from serving.model import load
from serving.schema import request_schema, response_schema


def test_the_example_is_scored_and_the_answer_has_the_described_names(folder: Path) -> None:
    model = load(folder)
    said = answer(model, json.dumps(request_schema(model)["example"]).encode())
    assert said.status == 200
    described = response_schema(model)
    assert (
        set(json.loads(said.body))
        == set(described["required"])
        == set(described["properties"]) - {"problem", "expected", "reasons"}
    )
    assert set(described["example"]) == set(described["required"])


def test_each_feature_has_its_own_type_and_values(folder: Path) -> None:
    record = request_schema(load(folder))["properties"]["data"]["items"]
    assert record["required"] == ["age", "job", "rate"]
    kinds = {name: found["type"] for name, found in record["properties"].items()}
    assert kinds == {"age": "integer", "job": "string", "rate": "number"}
    assert record["properties"]["job"]["enum"] == ["admin.", "student"]


def test_arrow_is_described_with_the_columns_it_answers(folder: Path) -> None:
    model = load(folder)
    assert arrow.CONTENT_TYPE in request_schema(model)["description"]
    told = response_schema(model)["description"]
    assert all(f"{field.name} (" in told for field in arrow._ANSWER)


# --- as a client's validator reads it -----------------------------------------------------------------------------


def nullable(schema: Any) -> Any:
    """`x-nullable` as a validator knows it."""
    if not isinstance(schema, dict):
        return schema
    made = {name: nullable(inner) for name, inner in schema.items() if name != "x-nullable"}
    if schema.get("x-nullable"):
        made["type"] = [schema["type"], "null"]
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
    return made


def fits(schema: dict[str, Any], body: Any) -> bool:
    return not list(Draft4Validator(nullable(schema)).iter_errors(body))


def test_both_schemas_are_schemas_and_their_examples_fit(folder: Path) -> None:
    model = load(folder)
    for schema in (request_schema(model), response_schema(model)):
        Draft4Validator.check_schema(nullable(schema))
        assert fits(schema, schema["example"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "age": st.none() | st.integers(-10, 200),
                "job": st.none() | st.text(max_size=5),
                "rate": st.none() | st.floats(-1e9, 1e9),
            }
        ),
        max_size=4,
    )
)
def test_what_fits_the_request_is_answered_by_what_fits_the_response(
    folder: Path, rows: list[dict[str, Any]]
) -> None:
    model = load(folder)
    said = answer(model, json.dumps({"data": rows}).encode())
    assert said.status == 200
    found = json.loads(said.body)
    assert fits(response_schema(model), found)
    assert len(found["probability"]) == len(found["decile"]) == len(found["decision"]) == len(rows)
    record = request_schema(model)["properties"]["data"]["items"]
    problems = found.get("problem", [None] * len(rows))
    assert [problem is None for problem in problems] == [fits(record, row) for row in rows]


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"age": 1, "job": "student"}]},
        {"data": [{"age": ["old"], "job": "student", "rate": 0.5}]},
        {"data": 3},
        {"input_data": {"data": []}},
    ],
)
def test_what_does_not_fit_is_refused(folder: Path, body: dict[str, Any]) -> None:
    model = load(folder)
    assert not fits(request_schema(model), body)
    assert answer(model, json.dumps(body).encode()).status == 400


def test_a_table_names_the_columns_it_needs(folder: Path) -> None:
    table = request_schema(load(folder))["properties"]["input_data"]
    assert "age, job, rate" in table["description"]
    assert table["required"] == ["columns", "data"]


def test_the_example_of_an_answer_is_one_of_this_model(folder: Path) -> None:
    model = load(folder)
    example = response_schema(model)["example"]
    assert (example["model"], example["version"]) == ("bank", "3")
    assert example["probability"] == [model.threshold]
    assert example["decision"] == ["call"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("probability", -0.001),
        ("probability", 1.001),
        ("probability", "likely"),
        ("decile", 0),
        ("decile", 11),
        ("decile", 4.5),
        ("decision", "perhaps"),
        ("model", 3),
    ],
)
def test_an_answer_that_cannot_be_does_not_fit(folder: Path, name: str, value: Any) -> None:
    schema = response_schema(load(folder))
    right = schema["example"]
    assert not fits(schema, {**right, name: value if name == "model" else [value]})
    assert not fits(schema, {key: kept for key, kept in right.items() if key != name})


def test_the_ends_of_what_can_be_fit(folder: Path) -> None:
    schema = response_schema(load(folder))
    ends = {"probability": [0, 1], "decile": [1, 10], "decision": ["skip", "call"]}
    assert fits(schema, {**schema["example"], **ends})


def test_the_example_of_a_request_is_a_client_that_could_be(folder: Path) -> None:
    example = request_schema(load(folder))["example"]
    assert example == {"data": [{"age": 17, "job": "admin.", "rate": 0}]}
