"""Answers may gain fields, and some lists words, within a version: clients that were generated before go on."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clients.generated import DESCRIPTION, tsc, typescript_types

Json = dict[str, Any]

DESCRIBED: Json = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
SCHEMAS: Json = DESCRIBED["components"]["schemas"]
WORD, FIELD = "made-up", "madeUp"


def growing() -> list[tuple[str, str]]:
    """Schema and property of each list that may grow."""
    return [
        (name, of)
        for name, schema in SCHEMAS.items()
        for of, described in schema.get("properties", {}).items()
        if "x-extensible-enum" in described
    ]


def examples() -> Iterator[Any]:
    """Each good answer of each operation that the description shows, with the name of its schema."""
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                content = answer.get("content", {}).get("application/json", {})
                reference = content.get("schema", {}).get("$ref")
                if status.startswith("2") and reference:
                    for name, example in content.get("examples", {}).items():
                        schema = reference.rpartition("/")[2]
                        yield pytest.param(schema, example["value"], id=f"{method}-{path}-{name}")


def to_come(value: Any, schema: Json) -> Any:
    """The same answer in a year: each object with a field more, each list that grows at a new word."""
    schema = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if "x-extensible-enum" in schema:
        return WORD
    if isinstance(value, list):
        return [to_come(one, schema.get("items", {})) for one in value]
    if isinstance(value, dict) and "properties" in schema:
        known = {name: to_come(of, schema["properties"].get(name, {})) for name, of in value.items()}
        return {**known, FIELD: {"words": [1, 2]}}
    return value


def test_the_state_of_each_kind_is_a_list_that_may_grow() -> None:
    stateful = {name for name, schema in SCHEMAS.items() if {"seq", "history"} <= set(schema["properties"])}
    assert stateful
    assert {(name, "state") for name in stateful} <= set(growing())


@pytest.mark.parametrize(("schema", "value"), list(examples()))
def test_the_python_client_reads_what_it_does_not_know(
    schema: str, value: Any, python_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(python_package))
    shape = getattr(importlib.import_module("campanha.models"), schema)
    answer = to_come(value, {"$ref": f"#/components/schemas/{schema}"})
    told = json.dumps(shape.from_dict(answer).to_dict())
    for unknown in (FIELD, WORD):
        assert told.count(unknown) == json.dumps(answer).count(unknown)


def test_the_types_of_typescript_take_a_word_that_they_do_not_know(
    tmp_path: Path, node: str, linters: Path
) -> None:
    typescript_types(tmp_path, node, linters)
    lines = ['import type { components } from "./campanha.js";', 'type Schemas = components["schemas"];']
    lines += [
        f'export const {schema}_{name}: Schemas["{schema}"]["{name}"] = "{WORD}";'
        for schema, name in growing()
    ]
    (tmp_path / "words.ts").write_text("\n".join(lines))
    tsc(tmp_path, node, linters, "words.ts")
