"""The bank that the dashboard's tests look at tells of itself as the real API does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from browser.bank import bank
from jsonschema import Draft202012Validator

from shared.kinds import BY_PLURAL

DESCRIBED = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))
SHAPES = {"events": "Event", "audit": "AuditEntry"}


COLLECTIONS = bank(datetime.now(UTC))


@pytest.mark.parametrize("listed", COLLECTIONS)
def test_its_records_are_as_the_api_describes_them(listed: str) -> None:
    shape = SHAPES.get(listed) or BY_PLURAL[listed].values.__name__
    described: dict[str, Any] = DESCRIBED["components"]["schemas"][shape]
    validator = Draft202012Validator({**described, "components": DESCRIBED["components"]})
    assert COLLECTIONS[listed]
    for record in COLLECTIONS[listed]:
        assert [fault.message for fault in validator.iter_errors(record)] == []
        assert set(record) <= set(described["properties"])
