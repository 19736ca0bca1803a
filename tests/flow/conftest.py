"""Fixtures of the flow tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from declared import faults
from flow.exported import Exported, exporting
from flow.world import World

from shared.kinds import KINDS


@pytest.fixture
def world() -> Iterator[World]:
    """A world whose records hold, in the end, what their kinds declare and nothing else."""
    made = World()
    yield made
    records = [record for kind in KINDS for record in made.ledger.newest(kind.name, limit=500)]
    assert [fault for record in records for fault in faults(record.kind, record.values)] == []


@pytest.fixture
def exported() -> Iterator[Exported]:
    """What spans and metrics would leave the app meanwhile."""
    with exporting() as sink:
        yield sink
