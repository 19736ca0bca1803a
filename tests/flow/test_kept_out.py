"""A role is not there yet: what is not let in comes again, for an hour, and nothing is lost or done twice meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flow.world import World, bank_rows

from shared.domain.facts import ModelReleased, PromotionRequested, ReleaseRolledBack, RunFailed, RunStarted
from shared.procedures.submission import KEPT_OUT, KNOCK_SECONDS

RUN = "bank-v1-a1"


def test_a_run_begins_when_the_pipeline_lets_us_in(world: World) -> None:
    world.pipeline.keeps_out = True
    world.tell(world.drop("may.csv", bank_rows(30)), within=300)
    assert world.told(RunStarted) == []
    world.pipeline.keeps_out = False
    world.tell()
    assert [fact.run for fact in world.told(RunStarted)] == [RUN]
    assert [request.name for request in world.pipeline.submissions] == [RUN]
    assert world.told(RunFailed) == []


def test_who_was_not_let_in_need_not_wait_for_a_late_arrival(world: World) -> None:
    """The service has said that it started nothing: its answer was no lost one."""
    assert world.policy.submit_fence_seconds > KNOCK_SECONDS
    world.pipeline.keeps_out = True
    world.tell(world.drop("may.csv", bank_rows(30)), within=60)
    world.pipeline.keeps_out = False
    before = world.time
    world.tell(within=KNOCK_SECONDS + 1)
    assert [fact.run for fact in world.told(RunStarted)] == [RUN]
    assert world.time - before <= timedelta(seconds=KNOCK_SECONDS + 1)


def test_after_an_hour_a_person_is_told_and_the_next_attempt_has_its_own(world: World) -> None:
    world.pipeline.keeps_out = True
    began = world.time
    world.tell(world.drop("may.csv", bank_rows(30)))
    (failed,) = world.told(RunFailed)
    assert "for 60 minutes the pipeline endpoint answered 403" in failed.reason
    assert KEPT_OUT <= world.time - began < KEPT_OUT + timedelta(minutes=5)
    world.pipeline.keeps_out = False
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    assert [fact.run for fact in world.told(RunStarted)] == ["bank-v2-a1"]


def test_a_release_waits_until_its_endpoint_lets_us_in(world: World) -> None:
    world.endpoint.keeps_out = 3
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(RUN)
    assert [fact.version for fact in world.told(ModelReleased)] == [1]
    assert world.told(ReleaseRolledBack) == []


@pytest.mark.parametrize("ends", ["Failed", "Canceled"])
def test_a_deployment_that_failed_is_taken_away_and_made_anew(world: World, ends: str) -> None:
    """Azure changes none that has failed."""
    world.workspace.state_of_new_deployments = ends
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(RUN)
    assert world.state("model", "bank:1") == "rolled-back"
    assert world.workspace.states == {}
    world.workspace.state_of_new_deployments = "Succeeded"
    world.pass_time(1)
    asked = round(world.now().timestamp() * 1000)
    world.tell(
        PromotionRequested(
            dataset="bank", version=1, operation="p1", requested_ms=asked, by="key:operator", reason="again"
        )
    )
    assert [fact.version for fact in world.told(ModelReleased)] == [1]
