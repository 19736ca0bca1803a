"""What each release has left in storage, in the middle of its work: today's code reads it all, and brings it to its end."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flow.test_backup import went_on
from flow.test_crashes import Fuse, live_through, outcome
from flow.world import World

from commands.recovery.snapshot import Copied
from commands.recovery.tables import write
from shared.domain.facts import Fact
from shared.kinds import BY_NAME
from shared.ledger.claims import Outcome
from shared.ports import Blob, RunRequest, RunView
from tests.http.asking import app_over, client_of

FILES = sorted((Path(__file__).parents[1] / "released_states").glob("*.json.gz"))
SHOWN = (
    "uploads",
    "datasets",
    "runs",
    "models",
    "batches",
    "failures",
    "quarantine",
    "events",
    "status",
)


@pytest.fixture(params=FILES, ids=lambda file: file.name.removesuffix(".json.gz"))
def left(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(request.param.read_bytes()))
    return found


def world_of(left: dict[str, Any]) -> World:
    """As that release left it."""
    world = World(time=datetime.fromisoformat(left["time"]))
    rows = [
        Copied(table=table, partition=partition, row=row, value=value)
        for table in ("past", "present")
        for partition, row, value in left[table]
    ]
    write(rows, {"past": world.table, "present": world.present})
    for container, name, etag, data in left["blobs"]:
        body = base64.b64decode(data)
        blob = Blob(container=container, name=name, etag=etag, size=len(body), modified=world.now())
        world.files._blobs[container, name] = (blob, body)
    for container, name, number, data in left["staged"]:
        world.files.stage(container, name, number, base64.b64decode(data))
    for told in left["submissions"]:
        request = RunRequest(**told)
        world.pipeline.submissions.append(request)
        world.workspace.started[request.name] = request
        world.workspace.runs[request.name] = RunView(name=request.name, status="Running")
    world.workspace.datasets = {(name, version): url for name, version, url in left["datasets"]}
    world.workspace.states = {(endpoint, name): state for endpoint, name, state in left["deployments"]}
    world.workspace.traffic = left["traffic"]
    world.due = [(world.time, Fact.from_json(message)) for message in left["messages"]]
    world.published = {fact.key for _, fact in world.due}
    return world


def test_there_is_a_state_of_a_release_with_work_of_each_kind() -> None:
    open_facts = {
        json.loads(value["fact"])["fact"]
        for file in FILES
        for _, row, value in json.loads(gzip.decompress(file.read_bytes()))["present"]
        if row.startswith("open-")
    }
    assert open_facts >= {
        "UploadArrived", "DatasetDue", "DatasetRegistered", "RunFinished", "ModelAccepted", "BatchDue", "ShardDue",
    }  # fmt: skip


def test_every_row_is_read(left: dict[str, Any]) -> None:
    facts = 0
    for partition, row, value in [*left["past"], *left["present"]]:
        if "fact" in value:
            facts += 1
            assert Fact.from_json(value["fact"]).to_json()
            if partition.startswith("fact-") and value.get("outcome"):
                assert Outcome.unpack(value["outcome"]) is not None
        if partition in BY_NAME and row.startswith(f"{partition}-"):
            assert value["state"] in {state.name for state in BY_NAME[partition].states}
    assert facts


def test_the_api_answers_about_it(left: dict[str, Any]) -> None:
    world = world_of(left)
    reader = client_of(app_over(world))
    for path in SHOWN:
        answer = reader.get(f"/api/{path}")
        assert answer.status_code == 200, (path, answer.content)
    known = [row for partition, row, _ in left["present"] if row.startswith("upload-")]
    assert [each["name"] for each in reader.get("/api/uploads").json()["value"]] == ["may.csv"] * len(known)
    assert reader.get("/api/lineage/incoming/may.csv").status_code == (200 if known else 404)


def test_the_work_comes_to_its_end(left: dict[str, Any]) -> None:
    """The same end as of a day that today's code has lived through alone; messages of the old code come first."""
    assert ended(went_on(world_of(left))) == ended(live_through(Fuse()))


def ended(world: World) -> dict[str, Any]:
    """What an older release has written into quarantine stays as it was written: only that it is there once counts."""
    seen = outcome(world)
    return {**seen, "quarantine": len(seen["quarantine"])}
