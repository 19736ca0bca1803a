"""The model endpoint's own description, in the shape the inference server gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
TYPES = {"integer": "integer", "number": "number", "category": "string"}


def swagger(dataset: str, version: int) -> dict[str, Any]:
    """Swagger 2.0 of a model trained on `dataset`, its features taken from the real contract."""
    contract = yaml.safe_load((ROOT / "contracts" / f"{dataset}.yaml").read_text(encoding="utf-8"))
    features = [column for column in contract["columns"] if not column.get("known_only_after_call")]
    record = {
        "type": "object",
        "required": [feature["name"] for feature in features],
        "properties": {feature["name"]: _property(feature) for feature in features},
    }
    example = {f["name"]: (f.get("values") or [0])[0] for f in features}
    return {
        "swagger": "2.0",
        "info": {"title": "ML service", "description": "API for the model", "version": str(version)},
        "paths": {"/": {"get": {}}, "/score": {"post": {}}},
        "definitions": {
            "ServiceInput": {
                "type": "object",
                "description": "Either input_data or data.",
                "properties": {"input_data": {"type": "object"}, "data": {"type": "array", "items": record}},
                "example": {"data": [example]},
            },
            "ServiceOutput": {"type": "object", "required": ["model", "version", "probability", "decision"]},
        },
    }


def _property(feature: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": TYPES[feature["type"]], "x-nullable": True}
    if feature["type"] == "category":
        found["enum"] = feature["values"]
    return found
