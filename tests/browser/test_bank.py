"""The bank that the dashboard's tests look at tells of itself as the real API does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from browser.bank import bank
from browser.fake_app import FakeApp
from jsonschema import Draft202012Validator

from shared.kinds import BY_PLURAL

DESCRIBED = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))
SHAPES = {"events": "CloudEvent", "audit": "AuditEntry"}
COLLECTIONS = bank(datetime.now(UTC))
ANSWERS = {
    "status": "SystemStatus",
    "lineage/incoming/calls-2026-w45.csv": "Lineage",
    "lineage/incoming/calls-2026-w45 (copy).csv": "Lineage",
    "lineage/scoring/to-call-w45.csv": "Lineage",
    "quarantine/leads-from-crm.csv": "QuarantineReport",
    f"batches/{COLLECTIONS['batches'][-1]['id']}/rows": "ScoredRows",
}
"""What is made of several records."""


@pytest.mark.parametrize("listed", COLLECTIONS)
def test_its_records_are_as_the_api_describes_them(listed: str) -> None:
    shape = SHAPES.get(listed) or BY_PLURAL[listed].values.__name__
    assert COLLECTIONS[listed]
    for record in COLLECTIONS[listed]:
        _is_as_described(record, shape)


@pytest.mark.parametrize("path", ANSWERS)
def test_its_answers_are_as_the_api_describes_them(path: str) -> None:
    _is_as_described(FakeApp().get(path, {}), ANSWERS[path])


def _is_as_described(value: Any, shape: str) -> None:
    described: dict[str, Any] = DESCRIBED["components"]["schemas"][shape]
    validator = Draft202012Validator({**described, "components": DESCRIBED["components"]})
    assert [fault.message for fault in validator.iter_errors(value)] == []
    assert set(value) <= set(described["properties"])
