"""The made-up answers that the readers are tested on have the names, and no others, of the API's own description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import bank
from browser.fake_app import FakeApp

Json = dict[str, Any]

SCHEMAS = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text())["components"][
    "schemas"
]
RECORDS = {
    "uploads": "Upload", "quarantine": "QuarantinedUpload", "runs": "Run", "datasets": "DatasetVersion",
    "models": "ModelVersion", "deployments": "Deployment", "batches": "Batch", "failures": "Failure",
    "events": "CloudEvent", "audit": "AuditEntry",
}  # fmt: skip


def wrong(value: Any, schema: Json, where: str) -> Iterator[str]:
    """Names in the value that the schema does not have, and those it requires that are not there."""
    if "discriminator" in schema:
        by = schema["discriminator"]
        schema = {"$ref": by["mapping"][value[by["propertyName"]]]}
    schema = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if isinstance(value, list):
        for item in value:
            yield from wrong(item, schema.get("items", {}), where)
    elif "properties" in schema:
        known = schema["properties"]
        yield from (f"{where}.{name} is missing" for name in schema.get("required", ()) if name not in value)
        for name, inner in value.items():
            if name not in known:
                yield f"{where}.{name} is not described"
            else:
                yield from wrong(inner, known[name], f"{where}.{name}")


def named(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.fixture
def fake() -> FakeApp:
    return FakeApp()


@pytest.mark.parametrize("collection", RECORDS)
def test_records(fake: FakeApp, collection: str) -> None:
    data = fake.collections[collection]
    assert data
    of_all = {"type": "array", "items": named(RECORDS[collection])}
    assert set(wrong(data, of_all, collection)) == set()


def test_a_wrong_name_is_found(fake: FakeApp) -> None:
    event = fake.collections["events"][0]
    faulty = {**event, "data": {**event["data"], "rejected_rows": 1}}
    of_all = {"type": "array", "items": named("CloudEvent")}
    assert [*wrong([faulty], of_all, "events")] == ["events.data.rejected_rows is not described"]


def test_views(fake: FakeApp) -> None:
    assert set(wrong(fake.status(), named("SystemStatus"), "status")) == set()
    for name in ("calls-2026-w45.csv", "calls-2026-w45 (copy).csv", "leads-from-crm.csv", "to-call-w43.csv"):
        assert set(wrong(fake.lineage(name), named("Lineage"), name)) == set()
    for name in (bank.EVIL, "leads-from-crm.csv"):
        report = bank.quarantined(fake.record("uploads", name))
        assert set(wrong(report, named("QuarantineReport"), name)) == set()
    _, operation = fake.post("pause", {}, "")
    assert set(wrong(operation, named("Operation"), "operation")) == set()
    scored = bank.rows_of(fake.record("batches", "to-call-w43.csv"))
    assert set(wrong(scored, named("ScoredRows"), "rows")) == set()
