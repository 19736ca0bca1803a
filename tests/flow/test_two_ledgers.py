"""Another ledger on the same storage and workspace: nothing of the older one is overwritten, or taken for its own."""

from __future__ import annotations

import logging

import pytest
from flow.world import World, bank_rows

from shared.adapters.memory import MemoryTable
from shared.domain.facts import DatasetDue, RunFailed, RunMoved
from shared.errors import Conflict
from shared.procedures.ignored_runs import MOST, ignored_runs

OLD = bank_rows(30)


def with_a_fresh_ledger(world: World) -> World:
    world.table, world.present = MemoryTable(now=world.now), MemoryTable(now=world.now)
    world.published.clear()
    return world


def test_a_manifest_is_never_overwritten(world: World) -> None:
    world.tell(world.drop("may.csv", OLD))
    name = "bank/manifests/1.json"
    before = world.files.content("datasets", name)
    with_a_fresh_ledger(world)
    with pytest.raises(Conflict, match="another ledger uses this storage"):
        world.tell(world.drop("june.csv", bank_rows(20, start=100)))
    assert world.files.content("datasets", name) == before
    assert len(world.pipeline.submissions) == 1
    due = next(fact for fact in reversed(world.bus.published) if isinstance(fact, DatasetDue))
    for _ in range(2):  # nor is it taken for what this ledger's own worker wrote before it died
        world.pass_time(world.policy.claim_seconds + 1)
        with pytest.raises(Conflict, match="another ledger uses this storage"):
            world.deliver(due)
    assert world.ledger.newest("dataset") == []


def test_an_old_run_is_not_taken_for_one_on_new_data(world: World) -> None:
    """Its storage was emptied, and its workspace was not."""
    world.tell(world.drop("may.csv", OLD))
    world.finish_run("bank-v1-a1")
    for blob in list(world.files.list("datasets")):
        del world.files._blobs[blob.container, blob.name]
    with_a_fresh_ledger(world)
    world.bus.announced.clear()
    world.tell(world.drop("june.csv", bank_rows(20, start=100)))
    (failed,) = world.told(RunFailed)
    assert "started with other inputs" in failed.reason
    assert world.state("model", "bank:1") is None


def test_a_run_that_was_never_started_here_is_passed_over_and_that_is_said(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.tell(world.drop("may.csv", OLD))
    with_a_fresh_ledger(world)
    with caplog.at_level(logging.INFO):
        world.tell(RunMoved(run="bank-v1-a1"))
    assert "bank-v1-a1 is passed over" in caplog.text
    assert world.ledger.newest("run") == []
    assert ignored_runs(world.services) == ["bank-v1-a1"]


def test_of_the_runs_that_are_passed_over_the_newest_are_kept_each_once(world: World) -> None:
    names = [f"somebodys-{number}" for number in range(MOST + 5)]
    for name in (*names, names[-1], names[-3]):
        world.tell(RunMoved(run=name))
    assert ignored_runs(world.services) == names[: -MOST - 1 : -1]


def test_a_run_whose_event_came_before_its_record_is_one_of_ours(world: World) -> None:
    world.tell(RunMoved(run="bank-v1-a1"))
    assert ignored_runs(world.services) == ["bank-v1-a1"]
    world.tell(world.drop("may.csv", OLD))
    assert ignored_runs(world.services) == []


@pytest.mark.parametrize("ignored", [False, True])
def test_a_lost_reply_is_one_run_whatever_the_service_calls_it(world: World, ignored: bool) -> None:
    world.pipeline.ignores_names, world.pipeline.loses = ignored, "reply"
    world.tell(world.drop("may.csv", OLD))
    assert len(world.workspace.runs) == 1
    (run,) = world.ledger.newest("run")
    assert run.id in world.workspace.runs
    assert (run.id == "bank-v1-a1") is not ignored
