"""The examples of the API's description are what the product answers, and what it says it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from functions.http.examples import REFERENCE
from shared.package_data import API_EXAMPLES
from tests.http.recording import ASKS, SHARED, recorded

DESCRIBED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "openapi.json").read_text("utf-8")
)
OPERATIONS = {
    operation["operationId"]: operation
    for methods in DESCRIBED["paths"].values()
    for operation in methods.values()
}


def test_the_examples_are_what_the_product_answers_today() -> None:
    wanted = "run `python tests/http/recording.py`, then `python docs/generated.py`"
    assert API_EXAMPLES.read_text("utf-8") == recorded(), wanted


def test_every_operation_is_asked() -> None:
    assert set(ASKS) == set(OPERATIONS)


def _response(response: dict[str, Any]) -> dict[str, Any]:
    name = response.get("$ref", "").removeprefix(REFERENCE)
    return DESCRIBED["components"]["responses"][name] if name else response


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_status_has_an_example(name: str) -> None:
    for status, declared in OPERATIONS[name]["responses"].items():
        response = _response(declared)
        if status in ("204", "default"):
            continue
        if status == "304":
            assert response["headers"]["ETag"]["example"], (name, status)
        else:
            assert any("examples" in content for content in response["content"].values()), (name, status)
        assert status in SHARED or "$ref" not in declared, "an error of its own has an example of its own"


def _examples() -> Iterator[tuple[str, Any, Any]]:
    shared = [(f"{name}", response) for name, response in DESCRIBED["components"]["responses"].items()]
    own = [
        (f"{name} {status}", response)
        for name, operation in OPERATIONS.items()
        for status, response in operation["responses"].items()
        if "$ref" not in response
    ]
    for where, response in [*shared, *own]:
        for content in response.get("content", {}).values():
            for example in content.get("examples", {}).values():
                yield where, content["schema"], example["value"]
    for name, operation in OPERATIONS.items():
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            if kind == "application/json":
                yield f"{name} request", content["schema"], content["example"]


def test_every_example_has_the_shape_it_is_described_with() -> None:
    found = list(_examples())
    assert len(found) > 2 * len(OPERATIONS)
    for where, schema, value in found:
        validator = Draft202012Validator({**schema, "components": DESCRIBED["components"]})
        assert [error.message for error in validator.iter_errors(value)] == [], where
