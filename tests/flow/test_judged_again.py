"""A verdict holds against the model that served then: another champion has the newest model judged again."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from flow.world import World, bank_rows

from shared.domain.facts import (
    JudgementDue,
    ModelAccepted,
    ModelRefused,
    ModelReleased,
    PromotionRequested,
    ReleaseDecided,
    RollbackRequested,
    WorkPaused,
    WorkResumed,
)
from shared.procedures.released_model import RELEASED
from shared.steps.judge_run import judge_run


def _drop(world: World, version: int, *, within: float = math.inf) -> None:
    world.tell(world.drop(f"{version}.csv", bank_rows(30, start=1000 * version)), within=within)


def _promote(world: World, version: int) -> None:
    world.pass_time(1)
    at = round(world.now().timestamp() * 1000)
    world.tell(
        PromotionRequested(dataset="bank", version=version, operation=f"p{at}", requested_ms=at, by="key:a")
    )


def _roll_back(world: World) -> None:
    world.pass_time(1)
    at = round(world.now().timestamp() * 1000)
    world.tell(
        RollbackRequested(
            dataset="bank", operation=f"r{at}", requested_ms=at, by="key:a", reason="complaints"
        )
    )


def _model(world: World, version: int) -> Any:
    record = world.ledger.find("model", f"bank:{version}")
    assert record is not None
    return record


def _serves(world: World, version: int) -> bool:
    serving = world.ledger.documents.read(RELEASED, "bank")
    return serving is not None and serving.value.version == version


@pytest.fixture
def world() -> World:
    """Model 1 answered, then model 2 does; the run of version 3 is compared with model 2."""
    made = World()
    for version in (1, 2):
        _drop(made, version)
        made.finish_run(f"bank-v{version}-a1")
    _drop(made, 3)
    return made


def test_a_refused_model_is_judged_again_when_its_champion_is_gone(world: World) -> None:
    """Whether it is better than the other one nobody has looked at, and that is what its record says."""
    world.finish_run("bank-v3-a1", worse=True)
    assert _model(world, 3).state == "refused"
    assert _model(world, 3).values["findings"]
    _roll_back(world)
    model = _model(world, 3)
    assert (model.state, model.values.get("findings")) == ("undecided", None)
    assert model.values["reason"] == (
        "it was compared with model 2, but model 1 serves now; the next version's run compares with that one, or"
        " promote this model by hand"
    )
    assert _serves(world, 1)


def test_and_again_when_it_is_back(world: World) -> None:
    world.finish_run("bank-v3-a1", worse=True)
    _roll_back(world)
    _promote(world, 2)
    model = _model(world, 3)
    assert (model.state, {each["guard"] for each in model.values["findings"]}) == (
        "refused",
        {"not worse than the champion"},
    )
    assert len({fact.key for fact in world.told(ModelRefused)}) == 2
    assert _serves(world, 2)


def test_what_it_lacks_whoever_serves_it_lacks_still(world: World) -> None:
    world.finish_run("bank-v3-a1", log_loss=0.33)
    before = _model(world, 3)
    assert before.state == "refused"
    _roll_back(world)
    assert _model(world, 3).state == "refused"
    assert "base rate" in _model(world, 3).values["reason"]
    assert len({fact.key for fact in world.told(ModelRefused)}) == 1


def test_a_run_that_ends_under_another_champion_is_not_released_until_its_own_is_back(world: World) -> None:
    _roll_back(world)
    world.finish_run("bank-v3-a1")
    assert _model(world, 3).state == "undecided"
    assert _serves(world, 1)
    _promote(world, 2)
    assert _model(world, 3).state == "released"
    assert _serves(world, 3)


def test_an_accepted_model_that_waited_is_not_released_against_a_champion_it_never_met(world: World) -> None:
    world.tell(WorkPaused(operation="o1", by="key:a", reason="audit"))
    world.finish_run("bank-v3-a1")
    assert _model(world, 3).state == "accepted"
    _roll_back(world)
    world.tell(WorkResumed(operation="o2", by="key:a", reason="done"))
    assert _model(world, 3).state == "undecided"
    assert _serves(world, 1)
    _promote(world, 2)
    assert len({fact.key for fact in world.told(ModelAccepted) if fact.version == 3}) == 2
    assert _serves(world, 3)


def test_a_model_that_was_to_be_judged_again_is_accepted_anew_where_its_champion_is_back_in_time(
    world: World,
) -> None:
    """Its first acceptance led to the judgement, and to no release."""
    world.tell(WorkPaused(operation="o1", by="key:a", reason="audit"))
    world.finish_run("bank-v3-a1")
    due = JudgementDue(run="bank-v3-a1", dataset="bank", version=3, since_ms=7)
    accepted, *_ = judge_run(due, world.services)
    assert isinstance(accepted, ModelAccepted)
    assert accepted.since_ms == 7


def test_a_held_release_that_is_approved_has_the_one_after_it_judged_again(world: World) -> None:
    world.policy = replace(world.policy, release_approval="required")
    world.finish_run("bank-v3-a1", within=60)
    assert _model(world, 3).state == "awaiting-approval"
    world.due.clear()
    _drop(world, 4, within=120)
    world.finish_run("bank-v4-a1", worse=True, within=60)
    assert _model(world, 4).state == "refused"
    approved = ReleaseDecided(
        dataset="bank", version=3, decision="approved", operation="o1", by="key:b", reason="looked at it"
    )
    world.tell(approved)
    assert _serves(world, 3)
    assert _model(world, 4).state == "undecided"
    assert "compared with model 2, but model 3 serves now" in _model(world, 4).values["reason"]


def test_a_release_that_the_gate_decided_has_nobody_judged_again(world: World) -> None:
    world.finish_run("bank-v3-a1")
    assert len(world.told(ModelReleased)) == 3
    assert not world.told(JudgementDue)


def test_only_the_newest_is_and_not_while_its_run_is_under_way(world: World) -> None:
    world.finish_run("bank-v3-a1", worse=True)
    _drop(world, 4)
    _roll_back(world)
    assert not world.told(JudgementDue)
    assert _model(world, 3).state == "refused"


def test_one_that_was_rolled_back_is_left_alone(world: World) -> None:
    world.finish_run("bank-v3-a1")
    _roll_back(world)
    assert not world.told(JudgementDue)
    world.tell(JudgementDue(run="bank-v3-a1", dataset="bank", version=3, since_ms=7))
    assert _model(world, 3).state == "rolled-back"
    assert _serves(world, 2)
