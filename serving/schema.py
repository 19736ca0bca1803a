"""The model's signature: JSON schemas of request and response for /swagger.json, made from its own features."""

from __future__ import annotations

from typing import Any

from serving.arrow import CONTENT_TYPE
from serving.automl import PREDICT, PROBABILITIES
from serving.features import Feature
from serving.model import SINGLE, Model
from serving.payload import EXPLAIN, MOST_REASONS, WHERE

Schema = dict[str, Any]

TYPES = {"integer": "integer", "number": "number", "category": "string"}


def request_schema(model: Model) -> Schema:
    """The shapes of a request; one of them is sent. Its example is a client asked about alone."""
    record = {feature.name: _example(feature) for feature in model.features}
    records: Schema = {"type": "array", "items": _record(model)}
    return {
        "type": "object",
        "description": f"Rows in one of {', '.join(WHERE)}: a table, a list of records, or lists by column."
        f" Columns that are not listed here are ignored.{_about_lists(model)}"
        f" The same path takes Content-Type {CONTENT_TYPE}: an Arrow IPC stream with these columns by name,"
        " texts plain or dictionary-encoded, numbers of any integer or floating type, nulls where not known.",
        "properties": {
            "input_data": _table(model),
            "data": records,
            "dataframe_split": _table(model),
            "dataframe_records": records,
            "inputs": _lists(model),
            "instances": records,
            "Inputs": {"type": "object", "properties": {"data": records}},
            "GlobalParameters": {
                "type": "object",
                "description": "Beside Inputs, as AutoML's endpoints take it.",
                "properties": {"method": {"type": "string", "enum": [PREDICT, PROBABILITIES]}},
            },
            EXPLAIN: {
                "type": "integer",
                "minimum": 0,
                "maximum": MOST_REASONS,
                "description": "How many reasons you want of each row; none if it is not there. In Arrow it stands in"
                " the schema's metadata.",
            },
        },
        "example": {"data": [record]},
    }


def response_schema(model: Model) -> Schema:
    return {
        "type": "object",
        "description": "In the rows' order. decile says which tenth of the held-out clients' probabilities a"
        " row's falls into, 10 for the highest. variant says which of the model's variants answers: list, with what"
        " describes the whole list that the clients stand on, or single, without."
        " A row that breaks the contract (a word that is none of its"
        " column's, a number out of bounds) has null for all three, and problem says why; problem is there only if"
        " a row has one. An Arrow request is answered in Arrow: columns probability (float64), decile (int8),"
        " decision (texts, dictionary-encoded), problem (texts), reasons, and model, version, variant and expected in"
        " the schema's metadata. A request in Inputs is answered as AutoML's endpoints do: Results has the likelier answer"
        f" of each row, or by the method {PROBABILITIES} the probabilities of both."
        ' What cannot be read is answered with 400 and {"error": {"code", "message"}}; the message says what to'
        " mend. A deployment may be set to answer 400 also to a row that breaks the contract.",
        "required": ["model", "version", "variant", "probability", "decile", "decision"],
        "properties": {
            "model": {"type": "string"},
            "version": {"type": "string"},
            "variant": {"type": "string", "enum": list(model.variants)},
            "probability": _each({"type": "number", "minimum": 0, "maximum": 1}),
            "decile": _each({"type": "integer", "minimum": 1, "maximum": 10}),
            "decision": _each({"type": "string", "enum": ["call", "skip"]}),
            "problem": _each({"type": "string"}),
            "expected": {
                "type": "number",
                "description": "There if reasons were asked for: the log-odds of a client of whom nothing is known."
                " With the contributions of all columns it adds up to a row's log-odds.",
            },
            "reasons": _each(
                {
                    "type": "array",
                    "description": "There if they were asked for: the columns that moved the row's log-odds most, the"
                    " first the most; a contribution above 0 makes a yes likelier.",
                    "items": {
                        "type": "object",
                        "required": ["column", "contribution"],
                        "properties": {"column": {"type": "string"}, "contribution": {"type": "number"}},
                    },
                }
            ),
        },
        "example": {
            "model": model.name,
            "version": model.version,
            "variant": SINGLE,
            "probability": [round(model.threshold, 6)],
            "decile": [10],
            "decision": ["call"],
        },
    }


def _each(item: Schema) -> Schema:
    """A value for each row, null where there is none."""
    return {"type": "array", "items": {**item, "x-nullable": True}}


def _table(model: Model) -> Schema:
    wanted = f"A table with at least these columns, in any order: {', '.join(model.columns)}."
    return {
        "type": "object",
        "description": wanted + _about_lists(model),
        "required": ["columns", "data"],
        "properties": {
            "columns": {"type": "array", "items": {"type": "string"}},
            "index": {"type": "array", "items": {}},
            "data": {"type": "array", "items": {"type": "array", "items": {}}},
        },
    }


def _lists(model: Model) -> Schema:
    return {
        "type": "object",
        "required": model.columns,
        "properties": {name: {"type": "array", "items": about} for name, about in _properties(model).items()},
    }


def _record(model: Model) -> Schema:
    return {
        "type": "object",
        "required": model.columns,
        "properties": _properties(model),
    }


def _about_lists(model: Model) -> str:
    if not model.lists:
        return ""
    return (
        f" {', '.join(model.list_columns)} describe the whole list that the clients stand on: all of them are sent"
        " for every row, or none."
    )


def _properties(model: Model) -> dict[str, Schema]:
    """Of each column that a request may have; the list columns are not required."""
    known = {feature.name: _property(feature) for feature in model.features}
    for column, definition in zip(model.lists, model.description["list_columns"], strict=True):
        about = definition.get("description", "Describes the whole list.")
        known[column.name] = {**_property(column), "description": about}
    return known


def _property(feature: Feature) -> Schema:
    """`x-nullable`, since Swagger 2 knows no null and OpenAPI 3.0 and 3.1 each know another one."""
    found: Schema = {"type": TYPES[feature.type], "x-nullable": True}
    if feature.type != "category":
        bounds = {"minimum": feature.minimum, "maximum": feature.maximum}
        return found | {name: bound for name, bound in bounds.items() if bound is not None}
    text = "Null is scored as missing; a row with any other text has no score."
    return {**found, "enum": list(feature.values), "description": text}


def _example(feature: Feature) -> Any:
    if feature.values:
        return feature.values[0]
    return 0 if feature.low <= 0 <= feature.high else feature.minimum if feature.low > 0 else feature.maximum
