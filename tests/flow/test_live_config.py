"""Choices that change while the app runs: in force for what comes next, read seldom, and kept with who and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from flow.test_rollout import ENDPOINT, Endpoint
from flow.world import POLICY, World, bank_rows

from shared.domain.facts import (
    ConfigChanged,
    RunPostponed,
    RunStarted,
    UploadArrived,
    WorkPaused,
    WorkResumed,
)
from shared.procedures.live_config import ALL, FRESH_SECONDS, LIVE_CONFIG, in_force
from shared.steps.change_config import change_config


def changed(world: World, operation: str = "o1", by: str = "key:admin", **values: Any) -> ConfigChanged:
    return ConfigChanged(operation=operation, by=by, reason="month end", values=values)


def runs(world: World) -> list[str]:
    return [fact.run for fact in world.told(RunStarted)]


def test_a_budget_that_is_lifted_lets_the_version_that_waits_have_its_run(world: World) -> None:
    world.policy = replace(POLICY, run_least_new_rows=1000)
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    assert (runs(world), len(world.told(RunPostponed))) == (["bank-v1-a1"], 1)
    world.tell(changed(world, run_least_new_rows=10))
    assert runs(world) == ["bank-v1-a1", "bank-v2-a1"]


def test_a_budget_that_is_narrowed_holds_for_the_next_version(world: World) -> None:
    world.tell(changed(world, runs_per_day=1))
    world.tell(world.drop("may.csv", bank_rows(30)), within=60)
    world.finish_run("bank-v1-a1", within=60)
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)), within=60)
    assert runs(world) == ["bank-v1-a1"]
    assert "1 " in world.told(RunPostponed)[-1].reason


def test_a_change_of_a_budget_tries_no_failed_run_again(world: World) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1", status="Failed")
    world.tell(changed(world, runs_per_day=7))
    assert runs(world) == ["bank-v1-a1"]


def test_a_release_is_watched_with_the_share_it_began_with(world: World) -> None:
    world.policy = replace(POLICY, release_baking_seconds=600, release_latency_ratio=1e6)
    world.endpoint = Endpoint()
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    world.tell(changed(world, release_canary_percent=20))
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    world.finish_run("bank-v2-a1", within=120)
    assert world.workspace.traffic == {ENDPOINT: {"model-2": 20, "model-1": 80}}
    world.tell(changed(world, "o2", release_canary_percent=50), within=60)
    world.pass_time(FRESH_SECONDS)
    world.tell(within=60)
    assert world.workspace.traffic == {ENDPOINT: {"model-2": 20, "model-1": 80}}
    world.tell()
    assert world.workspace.traffic == {ENDPOINT: {"model-2": 100}}


def test_what_is_given_back_is_as_the_app_setting_says(world: World) -> None:
    world.tell(changed(world, runs_per_day=1, release_canary_percent=20))
    world.tell(changed(world, "o2", by="key:other", runs_per_day=None))
    choices = world.ledger.documents.read(LIVE_CONFIG, ALL)
    assert choices is not None
    assert (choices.value.version, sorted(choices.value.chosen)) == (2, ["release_canary_percent"])
    policy = in_force(world.services).policy
    assert (policy.runs_per_day, policy.release_canary_percent) == (POLICY.runs_per_day, 20)


def test_who_changed_it_and_why_stays_with_each_choice(world: World) -> None:
    world.tell(changed(world, runs_per_day=1))
    world.pass_time(60)
    world.tell(changed(world, "o2", by="key:other", release_canary_percent=20))
    document = world.ledger.documents.read(LIVE_CONFIG, ALL)
    assert document is not None
    first, second = document.value.of("runs_per_day"), document.value.of("release_canary_percent")
    assert first is not None
    assert second is not None
    assert (first.value, first.by, first.reason) == (1, "key:admin", "month end")
    assert (second.value, second.by) == (20, "key:other")
    assert first.since < second.since


def test_a_change_whose_worker_died_after_it_wrote_is_one(world: World) -> None:
    fact = changed(world, runs_per_day=1)
    list(change_config(fact, world.services))
    world.tell(fact)
    document = world.ledger.documents.read(LIVE_CONFIG, ALL)
    assert document is not None
    assert document.value.version == 1


def test_a_choice_that_an_older_app_does_not_know_is_left_out(world: World) -> None:
    world.tell(changed(world, runs_per_day=1, of_a_newer_app=3))
    assert in_force(world.services).policy == replace(POLICY, runs_per_day=1)


def test_another_process_goes_by_it_after_some_seconds(world: World) -> None:
    assert in_force(world.services).policy == world.policy  # it has looked, and found nothing
    here, world.remembered = world.remembered, {}
    world.tell(changed(world, runs_per_day=1))
    world.remembered = here
    assert in_force(world.services).policy.runs_per_day == POLICY.runs_per_day
    world.pass_time(FRESH_SECONDS)
    assert in_force(world.services).policy.runs_per_day == 1


def test_it_is_read_once_in_some_seconds_however_much_there_is_to_do(world: World) -> None:
    read: Counter[str] = Counter()
    get = world.present.get

    def counted(partition: str, row: str) -> Any:
        read[row] += 1
        return get(partition, row)

    world.present.get = counted  # type: ignore[method-assign]
    for number in range(40):
        world.deliver(world.drop(f"{number}.csv", bank_rows(3, start=10 * number)))
    assert read[LIVE_CONFIG.row_key(ALL)] == 1
    world.pass_time(FRESH_SECONDS)
    world.deliver(world.drop("more.csv", bank_rows(3, start=5000)))
    assert read[LIVE_CONFIG.row_key(ALL)] == 2


def test_while_work_is_paused_files_are_taken_in_and_no_run_begins_until_it_goes_on(world: World) -> None:
    world.tell(WorkPaused(operation="p", by="key:admin", reason="month end"))
    arrived: UploadArrived = world.drop("may.csv", bank_rows(30))
    world.tell(arrived)
    assert world.state("upload", arrived.key) == "registered"
    assert (runs(world), world.pipeline.submissions) == ([], [])
    world.tell(WorkResumed(operation="r", by="key:admin", reason=""))
    assert runs(world) == ["bank-v1-a1"]
