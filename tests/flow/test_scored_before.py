"""The same clients again: known by content, scored anew only when asked, and never left out for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flow import engine
from flow.alerting import expecting
from flow.engine import release
from flow.world import POLICY, World, bank_rows

from shared.domain.facts import BatchDue, BatchDuplicated, BatchScored, ScoringDue
from shared.domain.tables.contract import Contract
from shared.procedures.open_batches import OPEN_BATCH

CLIENTS = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(30).splitlines()).encode() + b"\n"


@pytest.fixture(params=["endpoint", "cluster"])
def world(world: World, request: pytest.FixtureRequest) -> Iterator[World]:
    """Scored through the endpoint, or by runs on a cluster."""
    engine_bytes = 1 if request.param == "cluster" else 0
    world.policy = replace(POLICY, shard_bytes=700, engine_bytes=engine_bytes)
    release(world, 1)
    return world


def drop(world: World, name: str = "clients.csv", data: bytes = CLIENTS) -> str:
    """The state of the batch that the file becomes, once all is done."""
    world.files.write("scoring", name, data)
    return tick(world, name)


def tick(world: World, name: str = "clients.csv") -> str:
    world.tell(ScoringDue(tick=f"{world.time}"))
    finish_runs(world)
    blob = world.files.stat("scoring", name)
    assert blob is not None
    return world.state("batch", BatchDue(name=name, etag=blob.etag).batch) or ""


def finish_runs(world: World) -> None:
    for submission in world.scoring_pipeline.submissions:
        if world.workspace.runs[submission.name].status != "Completed":
            engine.end(world, submission.name)


@pytest.mark.parametrize("expected", [None, {"batches": {"by": "08:00"}}], ids=["", "expected"])
def test_the_same_bytes_again_are_known_and_lead_to_the_first(
    world: World, expected: dict[str, Any] | None
) -> None:
    world.contracts = expecting(expected) if expected else world.contracts
    assert drop(world) == "scored"
    asked = world.endpoint.requests
    assert drop(world) == "duplicate"  # as when metadata or headers change: another ETag, the same bytes
    assert drop(world, "copy.csv") == "duplicate"
    assert world.endpoint.requests == asked
    (first,) = {fact.batch for fact in world.told(BatchScored)}
    assert [fact.first_batch for fact in world.told(BatchDuplicated)] == [first] * 2
    newest = world.ledger.newest("batch")[0]
    assert newest.values["same_as"] == first
    assert first in newest.values["reason"]
    assert world.ledger.documents.read_all(OPEN_BATCH) == []


OTHERWISE: dict[str, Callable[[World], Any]] = {
    "another model": lambda world: release(world, 2),
    "one value": lambda world: world.files.write(
        "scoring", "clients.csv", CLIENTS[:-9] + b"7" + CLIENTS[-8:]
    ),
    "the header": lambda world: world.files.write(
        "scoring", "clients.csv", CLIENTS.replace(b"age;job", b"job;age", 1)
    ),
    "the contract": lambda world: setattr(world, "contracts", tuple(map(_wider, world.contracts))),
    "the output was removed": lambda world: _remove(world, "scored.csv"),
    "the manifest was removed": lambda world: _remove(world, "manifest.json"),
}


def _wider(contract: Contract) -> Contract:
    age = replace(contract.columns[0], maximum=121)
    return replace(contract, columns=(age, *contract.columns[1:]))


def _remove(world: World, name: str) -> None:
    (batch,) = {fact.batch for fact in world.told(BatchScored)}
    del world.files._blobs["scored", f"{batch}/{name}"]


@pytest.mark.parametrize("change", OTHERWISE)
def test_what_changed_is_scored_again(world: World, change: str) -> None:
    assert drop(world) == "scored"
    world.files.write("scoring", "clients.csv", CLIENTS)
    OTHERWISE[change](world)
    assert tick(world) in ("scored", "refused")
    assert world.told(BatchDuplicated) == []


def test_who_asks_gets_it_scored_anew_each_time(world: World) -> None:
    drop(world)
    blob = world.files.stat("scoring", "clients.csv")
    assert blob is not None
    for attempt in (2, 3):
        due = BatchDue(name=blob.name, etag=blob.etag, attempt=attempt)
        world.tell(due)
        finish_runs(world)
        assert world.state("batch", due.batch) == "scored"
    assert len({fact.batch for fact in world.told(BatchScored)}) == 3


def test_a_batch_under_way_is_no_reason_to_leave_another_out(world: World) -> None:
    """It may yet fail, its file be overwritten for instance: then its clients would be scored by nobody."""
    world.files.write("scoring", "clients.csv", CLIENTS)
    world.deliver(ScoringDue(tick="1"))
    world.deliver(world.due.pop()[1])  # planned, and no shard of it scored
    assert drop(world) == "scored"


def test_only_a_file_of_a_size_that_was_met_before_is_read_to_be_compared(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(world)
    other = CLIENTS + CLIENTS.splitlines()[3] + b"\n"
    world.files.write("scoring", "other.csv", other)
    world.deliver(ScoringDue(tick="2"))
    ((_, due),) = world.due
    read: list[int] = []
    reads = world.files.read_range

    def counted(blob: Any, start: int, end: int) -> bytes:
        read.append(end - start)
        return reads(blob, start, end)

    monkeypatch.setattr(world.files, "read_range", counted)
    world.due.clear()
    shards = -(-len(other) // 700)
    world.deliver(due)
    assert len(read) <= shards + 1  # the header, and a little around each cut


@pytest.mark.parametrize("attempt", [1, 2, 12])
def test_a_key_of_a_batch_gives_the_fact_back(attempt: int) -> None:
    due = BatchDue(name="2026/may-3/clients.csv", etag="0x8DD", attempt=attempt)
    assert BatchDue.parse(due.key) == due
    assert BatchDue.parse("shard/clients-csv-d7147bc7/3") is None
