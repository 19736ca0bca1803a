"""The endpoint's traffic is with the model that the ledger says answers, whoever moved it."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from flow.world import World, bank_rows

from shared.domain.facts import ModelAccepted, ReconcileDue, ReleaseDue, StepDeadLettered, TrafficStrayed
from shared.domain.tables.contract import Contract
from shared.errors import Transient
from shared.ledger import Ledger
from shared.ledger.documents import Documents
from shared.procedures.released_model import RELEASED
from shared.steps.restore_traffic import restore_traffic

ENDPOINT = "campanha-bank"


@pytest.fixture
def world() -> World:
    """Model 1 answers, and model 2 is accepted: its release is what each test makes of it."""
    world = World()
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    world.tell(world.drop("june.csv", bank_rows(30, start=100)))
    return world


def _dies_after_the_switch(world: World) -> ModelAccepted:
    """The traffic has moved to model 2, and the worker died before it could write that down."""
    writes = Documents.write

    def write(self: Documents, document: Any, *args: Any, **more: Any) -> Any:
        if document is RELEASED:
            raise Transient("the worker is dead")
        return writes(self, document, *args, **more)

    with mock.patch.object(Documents, "write", write), pytest.raises(Transient):
        world.finish_run("bank-v2-a1")
    assert world.workspace.traffic == {ENDPOINT: {"model-2": 100}}
    world.due.clear()
    return next(fact for fact in world.bus.published if isinstance(fact, ModelAccepted) and fact.version == 2)


def _reconcile(world: World) -> list[TrafficStrayed]:
    world.pass_time(world.policy.claim_seconds + 1)
    before = len(world.bus.published)
    world.tell(ReconcileDue(tick=str(before)))
    return [fact for fact in world.bus.published[before:] if isinstance(fact, TrafficStrayed)]


def test_traffic_that_a_release_left_with_what_nobody_released_is_given_back(world: World) -> None:
    accepted = _dies_after_the_switch(world)
    world.ledger.outbox.dead_letter(next(world.ledger.outbox.open(ModelAccepted, ReleaseDue)), retries=0)
    world.tell(StepDeadLettered(queue="steps", about=accepted.key, reason="given up"))
    world.bus.take()
    _reconcile(world)
    assert world.workspace.traffic == {ENDPOINT: {"model-1": 100}}


def test_traffic_that_was_moved_by_hand_goes_back_and_then_nothing_is_left_to_do(world: World) -> None:
    world.workspace.states[ENDPOINT, "model-9"] = "Succeeded"
    world.workspace.set_traffic(ENDPOINT, {"model-1": 60, "model-9": 40})
    assert _reconcile(world) == [TrafficStrayed(dataset="bank")]
    assert world.workspace.traffic == {ENDPOINT: {"model-1": 100}}
    assert _reconcile(world) == []


def test_while_a_worker_is_at_a_release_the_traffic_is_its_own(world: World) -> None:
    _dies_after_the_switch(world)
    (release,) = world.ledger.outbox.open(ModelAccepted, ReleaseDue)
    world.ledger.claims.claim(release)
    restore_traffic(TrafficStrayed(dataset="bank"), world.services)
    assert world.workspace.traffic == {ENDPOINT: {"model-2": 100}}
    world.pass_time(world.policy.claim_seconds + 1)  # and once it is dead for long enough, not any more
    restore_traffic(TrafficStrayed(dataset="bank"), world.services)
    assert world.workspace.traffic == {ENDPOINT: {"model-1": 100}}


def test_whether_anything_was_ever_deployed_is_asked_once_whatever_the_number_of_datasets(
    world: World,
) -> None:
    def asked(contracts: tuple[Contract, ...]) -> int:
        world.contracts = contracts
        with mock.patch.object(Ledger, "newest", autospec=True, side_effect=Ledger.newest) as newest:
            _reconcile(world)
        return [call.args[1] for call in newest.call_args_list].count("deployment")

    assert asked(world.contracts) == asked(world.contracts * 5) == 1


def test_where_nothing_was_ever_deployed_no_endpoint_is_asked() -> None:
    world = World()
    with mock.patch.object(world.workspace, "traffic_of") as traffic_of:
        _reconcile(world)
    traffic_of.assert_not_called()


def test_a_new_ledger_takes_no_traffic_from_what_another_released() -> None:
    world = World()
    world.workspace.states[ENDPOINT, "model-7"] = "Succeeded"
    world.workspace.set_traffic(ENDPOINT, {"model-7": 100})
    assert _reconcile(world) == []
    assert world.workspace.traffic == {ENDPOINT: {"model-7": 100}}


def test_a_first_model_that_nobody_released_answers_nothing(world: World) -> None:
    released = world.ledger.documents.read(RELEASED, "bank")
    assert released is not None
    world.ledger.documents.delete(RELEASED, released)
    _reconcile(world)
    assert world.workspace.traffic == {ENDPOINT: {}}
