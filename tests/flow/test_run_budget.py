"""The run budget: a version beyond it waits, says what lifts it, and has its run then; nobody need do anything."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flow.world import World, bank_rows

from shared import flow
from shared.domain.facts import DatasetDue, Fact, ReconcileDue, RetrainDue, RunDue, RunMoved
from shared.ports import RunView
from shared.procedures.run_slot import WantedRun, want

HOUR = 3600


def _world(**policy: int) -> World:
    world = World()
    world.policy = replace(world.policy, **policy)
    return world


def _tell(world: World, *facts: Fact) -> None:
    """And what follows at once; the clock is turned on by the tests."""
    world.tell(*facts, within=120)


def _passes(world: World, seconds: float) -> None:
    world.pass_time(seconds)
    _tell(world)


def _run_fails(world: World) -> None:
    run = str(world.pipeline.submissions[-1].name)
    world.workspace.runs[run] = RunView(name=run, status="Failed")
    _tell(world, RunMoved(run=run))


def _dropped(world: World, *numbers: int) -> None:
    """Each file a version of its own, and its run over."""
    for number in numbers:
        _tell(world, world.drop(f"{number}.csv", bank_rows(10 * number, start=1000 * number)))
        if world.pipeline.submissions[-1].version == number:
            _run_fails(world)


def _submitted(world: World) -> list[int]:
    return [request.version for request in world.pipeline.submissions]


def _reason(world: World, version: int) -> str:
    (found,) = (one for one in world.ledger.newest("dataset") if one.id == f"bank:{version}")
    assert found.state == "waiting"
    return str(found.values["postponed_because"])


def test_beyond_the_budget_of_a_day_a_version_waits_until_the_first_run_is_a_day_old() -> None:
    world = _world(runs_per_day=2)
    _dropped(world, 1)
    _passes(world, HOUR)
    _dropped(world, 2, 3)
    assert _submitted(world) == [1, 2]
    assert "2 runs began within a day, and RUNS_PER_DAY is 2" in _reason(world, 3)
    assert "lifts it" in _reason(world, 3)
    _passes(world, 22 * HOUR)
    assert _submitted(world) == [1, 2]
    _passes(world, HOUR)
    assert _submitted(world) == [1, 2, 3]


def test_no_budget_is_no_limit() -> None:
    world = _world(runs_per_day=0)
    _dropped(world, *range(1, 7))
    assert _submitted(world) == [1, 2, 3, 4, 5, 6]


def test_a_run_that_is_tried_again_counts_as_another() -> None:
    world = _world(runs_per_day=2)
    _dropped(world, 1)
    for day in "ab":
        _tell(world, RetrainDue(dataset="bank", tick=day))
        _run_fails(world)
    assert _submitted(world) == [1, 1]


def test_the_next_run_waits_for_the_cool_down_of_the_last() -> None:
    world = _world(run_cool_down_minutes=30)
    _dropped(world, 1)
    _passes(world, 600)
    _dropped(world, 2)
    assert "the last run began 10 min ago, and RUN_COOL_DOWN_MINUTES is 30" in _reason(world, 2)
    _passes(world, 900)
    assert _submitted(world) == [1]
    _passes(world, 300)
    assert _submitted(world) == [1, 2]


def test_few_new_rows_wait_for_more() -> None:
    world = _world(run_least_new_rows=45)
    _dropped(world, 1, 2)
    assert "20 rows are new since the last run, and RUN_LEAST_NEW_ROWS is 45: 25 more" in _reason(world, 2)
    _passes(world, 48 * HOUR)
    _dropped(world, 3)
    assert _submitted(world) == [1, 3]


@pytest.mark.parametrize(
    "policy", [{"runs_per_day": 1}, {"run_cool_down_minutes": 90}, {"run_least_new_rows": 500}]
)
def test_a_person_who_asks_is_not_kept_from_it(policy: dict[str, int]) -> None:
    world = _world(**policy)
    _dropped(world, 1, 2)
    assert _submitted(world) == [1]
    _tell(world, RetrainDue(dataset="bank", tick="the clock"))
    assert _submitted(world) == [1]
    _tell(world, RetrainDue(dataset="bank", tick="asked", asked=True))
    assert _submitted(world) == [1, 2]
    assert world.state("dataset", "bank:2") == "training"


@pytest.mark.parametrize("why", ["asked", "drifted"])
def test_what_was_asked_for_while_a_run_was_under_way_has_its_run_after_it(why: str) -> None:
    """The end of that run makes the next one due, which the budget would keep waiting: for rows that never come, here."""
    world = _world(run_least_new_rows=500)
    _tell(world, world.drop("1.csv", bank_rows(10)))
    _tell(world, world.drop("2.csv", bank_rows(10, start=500)))
    _tell(world, RunDue(dataset="bank", version=2, cause="c", asked=why == "asked", drifted=why == "drifted"))
    assert _submitted(world) == [1]
    _run_fails(world)
    assert _submitted(world) == [1, 2]
    _tell(world, world.drop("3.csv", bank_rows(10, start=900)))
    _run_fails(world)
    assert _submitted(world) == [1, 2], "the wish is fulfilled"


def test_a_wish_that_was_fulfilled_lets_no_later_run_escape_the_budget() -> None:
    world = _world(runs_per_day=2)
    _tell(world, world.drop("1.csv", bank_rows(10)))
    _tell(world, world.drop("2.csv", bank_rows(10, start=500)))
    _tell(world, RunDue(dataset="bank", version=2, cause="a person", asked=True))
    _run_fails(world)
    assert _submitted(world) == [1, 2]
    _tell(world, world.drop("3.csv", bank_rows(10, start=900)))
    _tell(world, RunDue(dataset="bank", version=3, cause="drift", drifted=True))
    _run_fails(world)
    assert _submitted(world) == [1, 2]
    assert "RUNS_PER_DAY is 2" in _reason(world, 3)


def test_a_run_that_was_asked_for_as_the_slot_was_freed_is_found() -> None:
    """Whoever freed it did not see that it was wanted yet, and its run was put off."""
    world = _world(run_least_new_rows=500)
    _dropped(world, 1, 2)
    assert _submitted(world) == [1]
    want("bank", WantedRun(version=2, asked=True), world.services)
    _passes(world, world.policy.claim_seconds + 1)
    _tell(world, ReconcileDue(tick="1"))
    assert _submitted(world) == [1, 2]


@pytest.mark.parametrize("died", [False, True], ids=["noted", "its worker died before it was noted"])
def test_what_a_person_asks_for_as_a_version_is_registered_has_its_run(died: bool) -> None:
    """The request is handled before the news of the version is, which the budget then keeps waiting."""
    world = _world(runs_per_day=1)
    _dropped(world, 1)
    world.tell(world.drop("2.csv", bank_rows(10, start=500)), within=0)
    (due,) = (fact for _, fact in world.due if isinstance(fact, DatasetDue))
    world.due.clear()
    world.pass_time(due.delay_seconds)
    if died:
        flow.STEPS[DatasetDue](due, world.services)
    else:
        world.deliver(due)
    late = [*world.due]
    world.due.clear()
    asked = RetrainDue(dataset="bank", tick="asked", asked=True)
    _tell(world, asked)
    assert _submitted(world) == [1, 2]
    world.due = late
    _tell(world, due)
    assert _submitted(world) == [1, 2]
    assert world.state("dataset", "bank:2") == "training"


def test_what_a_person_asks_for_takes_what_has_gathered_with_it() -> None:
    world = _world(runs_per_day=1, gather_quiet_seconds=300)
    _tell(world, world.drop("1.csv", bank_rows(10)), RetrainDue(dataset="bank", tick="asked", asked=True))
    _run_fails(world)
    _tell(
        world, world.drop("2.csv", bank_rows(10, start=500)), RetrainDue(dataset="bank", tick="a", asked=True)
    )
    assert _submitted(world) == [1, 2]


def test_a_version_that_a_newer_one_overtook_waits_no_longer() -> None:
    """Two came while a run was under way: one run learns from both, and nothing waits for the other's for ever."""
    world = _world(runs_per_day=0)
    _tell(world, world.drop("1.csv", bank_rows(10, start=1000)))
    for number in (2, 3, 4):
        _tell(world, world.drop(f"{number}.csv", bank_rows(10, start=1000 * number)))
    assert [world.state("dataset", f"bank:{version}") for version in (2, 3, 4)] == ["waiting"] * 3
    _run_fails(world)
    assert _submitted(world) == [1, 4]
    assert [world.state("dataset", f"bank:{version}") for version in (1, 2, 3, 4)] == [
        "failed", "superseded", "superseded", "training",
    ]  # fmt: skip
    _tell(world, RunDue(dataset="bank", version=2, cause="a message that came late"))
    assert world.state("dataset", "bank:2") == "superseded"
    assert _submitted(world) == [1, 4]


def test_a_version_that_the_budget_kept_waiting_is_overtaken_too() -> None:
    world = _world(runs_per_day=1)
    _dropped(world, 1)
    _passes(world, HOUR)
    _dropped(world, 2, 3)
    _passes(world, 23 * HOUR)
    assert _submitted(world) == [1, 3]
    assert world.state("dataset", "bank:2") == "superseded"
