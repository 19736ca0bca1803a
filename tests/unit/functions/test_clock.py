"""The clocks: a schedule that is empty is none, and a tick asks for each dataset."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from unittest import mock

import azure.functions as func
import pytest
from flow.world import World

from functions import clock
from shared import wiring
from shared.domain.facts import ExperimentDue, Fact, RetrainDue
from shared.errors import Transient

SCHEDULE = "EXPERIMENT_SCHEDULE"


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    importlib.reload(clock)


def timers(monkeypatch: pytest.MonkeyPatch, schedule: str) -> set[str]:
    monkeypatch.setenv(SCHEDULE, schedule)
    importlib.reload(clock)
    app = func.FunctionApp()
    app.register_functions(clock.clock)
    monkeypatch.delenv(SCHEDULE)
    return {function.get_function_name() for function in app.get_functions()}


@pytest.mark.parametrize(("schedule", "there"), [("", False), ("0 0 4 * * *", True)])
def test_the_experimentation_clock_is_there_where_it_has_a_schedule(
    monkeypatch: pytest.MonkeyPatch, schedule: str, there: bool
) -> None:
    found = timers(monkeypatch, schedule)
    assert {"scoring_due", "reconcile_due", "retrain_due"} <= found
    assert ("experiment_due" in found) == there


def test_a_dataset_that_cannot_be_retrained_now_keeps_no_other_from_its_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, told = World(), list[str]()

    def deliver(fact: RetrainDue) -> None:
        told.append(fact.dataset)
        raise Transient(f"{fact.dataset} is busy")

    monkeypatch.setattr(clock, "deliver", deliver)
    names = [contract.dataset for contract in world.contracts]
    assert len(names) > 1
    with (
        mock.patch.object(wiring, "services", return_value=world.services),
        pytest.raises(Transient, match=names[0]),
    ):
        clock.retrain_due(mock.Mock(past_due=False))
    assert told == names


def test_a_tick_asks_for_an_experiment_on_each_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    timers(monkeypatch, "0 0 4 * * *")
    world, told = World(), list[Fact]()
    monkeypatch.setattr(clock, "deliver", told.append)
    with mock.patch.object(wiring, "services", return_value=world.services):
        clock.experiment_due(mock.Mock(past_due=False))
    assert [type(fact) for fact in told] == [ExperimentDue] * len(world.contracts)
    assert {fact.dataset for fact in told} == {contract.dataset for contract in world.contracts}  # type: ignore[attr-defined]
