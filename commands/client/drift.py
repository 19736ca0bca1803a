"""Drift on the command line: the columns by how far they moved, and the money in sentences, as the picture has them."""

from __future__ import annotations

import re
from typing import Any

from commands.client import tables
from commands.client.status_api import Json
from shared.domain.pictures.drift_picture import sentences

COLUMNS = ("column", "psi", "limit", "moved", "newShare")
MOST_SHOWN = 12


def show_drift(record: Json) -> None:
    """Nothing of a record without any. record: of an upload or a batch, as the API shows it"""
    columns = [{"column": "the scores", **record["scoreDrift"]}] if "scoreDrift" in record else []
    columns += (record.get("columnDrift") or record.get("drift") or [])[:MOST_SHOWN]
    model = record.get("driftModelVersion") or record.get("modelVersion")
    if columns:
        tables.show(
            f"Drift against what model {model} learned", [_rounded(each) for each in columns], COLUMNS
        )
    for sentence in sentences(in_snake_case(record)):
        print(sentence)


def _rounded(column: Json) -> Json:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in column.items()}


def in_snake_case(value: Any) -> Any:
    """A record of the API under the names that the domain has."""
    if isinstance(value, list):
        return [in_snake_case(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name): in_snake_case(each)
        for name, each in value.items()
    }
