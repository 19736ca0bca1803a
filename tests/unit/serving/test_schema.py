"""What the description for clients says is what the endpoint takes and answers."""

from __future__ import annotations

import json
from pathlib import Path

from serving import arrow
from serving.answer import answer
from serving.model import load
from serving.schema import request_schema, response_schema


def test_the_example_is_scored_and_the_answer_has_the_described_names(folder: Path) -> None:
    model = load(folder)
    said = answer(model, json.dumps(request_schema(model)["example"]).encode())
    assert said.status == 200
    described = response_schema(model)
    assert set(json.loads(said.body)) == set(described["properties"]) == set(described["required"])
    assert set(described["example"]) == set(described["properties"])


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
