"""An event's data has the type of its kind in generated clients, and one of a kind to come is read with all that came."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from clients.generated import tsc, typescript_types
from flow.season import lived
from flow.world import SOURCE, World

from shared.kinds import BY_NAME, KINDS
from shared.ledger import cloud_event

Json = dict[str, Any]

PROGRAM = """import type { components } from "./campanha.js";

export function line({ data }: components["schemas"]["CloudEvent"]): string {
  switch (data.kind) {
    case "upload": return `${data.rejectedRows ?? 0} rejected`;
    case "run": return (data.steps ?? []).map((step) => step.name).join();
    default: return `${data.id} ${data.state}`;
  }
}
"""


@pytest.fixture
def cloud_event_of(python_package: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(python_package))
    return importlib.import_module("campanha.models").CloudEvent.from_dict


def test_python_has_the_class_of_the_kind_and_loses_nothing(cloud_event_of: Any) -> None:
    events = [cloud_event(entry, source=SOURCE) for entry in lived(World()).ledger.events.newest(limit=1000)]
    assert {event["data"]["kind"] for event in events} == {kind.name for kind in KINDS}
    for event in events:
        read = cloud_event_of(event)
        assert type(read.data).__name__ == f"{BY_NAME[event['data']['kind']].values.__name__}EventData"
        assert read.data.to_dict().keys() == event["data"].keys()


def test_python_reads_a_kind_to_come(cloud_event_of: Any) -> None:
    (entry,) = _one(World())
    data = {"kind": "forecast", "id": "f1", "state": "made", "seq": 1, "horizonDays": 30}
    event = {**cloud_event(entry, source=SOURCE), "type": "Campanha.ForecastMade.v1", "data": data}
    read = cloud_event_of(event)
    assert type(read.data).__name__ == "OtherEventData"
    assert read.data.to_dict() == data


def _one(world: World) -> Any:
    world.tell(world.drop("odd.csv", "a;b\n1;2\n"))
    return world.ledger.events.newest(limit=1)


@pytest.mark.slow
def test_typescript_narrows_by_kind(tmp_path: Path, node: str, linters: Path) -> None:
    typescript_types(tmp_path, node, linters)
    (tmp_path / "line.ts").write_text(PROGRAM)
    tsc(tmp_path, node, linters, "line.ts")
    (tmp_path / "wrong.ts").write_text(PROGRAM.replace("data.steps", "data.rejectedRows"))
    with pytest.raises(AssertionError, match="'rejectedRows' does not exist"):
        tsc(tmp_path, node, linters, "wrong.ts")
