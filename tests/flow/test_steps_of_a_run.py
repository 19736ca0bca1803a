"""When a run's steps began and ended, as far as it was seen: the workspace makes them all at once."""

from __future__ import annotations

from typing import Any

import pytest
from flow.world import World, bank_rows

from shared.domain.facts import RunMoved
from shared.ports import RunView, StepView

RUN = "bank-v1-a1"
MADE = "2026-11-24T07:59:00+00:00"
"""When the workspace made the steps, as it says of each."""


@pytest.fixture
def training() -> World:
    world = World()
    world.tell(world.drop("may.csv", bank_rows(30)))
    return world


def _seen(world: World, *steps: tuple[str, str], status: str = "Running") -> dict[str, Any]:
    views = tuple(StepView(name=name, status=at, started_at=MADE) for name, at in steps)
    world.workspace.runs[RUN] = RunView(name=RUN, status=status, steps=views)
    world.pass_time(10)
    world.tell(RunMoved(run=RUN))
    record = world.ledger.find("run", RUN)
    assert record is not None
    return {step["name"]: step for step in record.values["steps"]}


def test_a_step_begins_when_it_is_first_seen_at_work(training: World) -> None:
    first = _seen(training, ("prepare", "Running"), ("train", "NotStarted"))
    assert first["train"]["started_at"] is None
    began = first["prepare"]["started_at"]
    assert began > MADE
    then = _seen(training, ("prepare", "Completed"), ("train", "Running"))
    assert then["prepare"]["started_at"] == began
    assert then["prepare"]["ended_at"] == then["train"]["started_at"] > began
    last = _seen(training, ("prepare", "Completed"), ("train", "Completed"))
    assert last["prepare"] == then["prepare"]
    assert last["train"]["ended_at"] > last["train"]["started_at"]


def test_of_a_step_that_came_and_went_unseen_the_workspace_is_believed(training: World) -> None:
    seen = _seen(training, ("prepare", "Completed"), ("train", "Queued"))
    assert seen["prepare"]["started_at"] == MADE
    assert seen["train"]["started_at"] is None
