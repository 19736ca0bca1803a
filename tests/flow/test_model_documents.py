"""A model whose folder lacks what a verdict or a smoke test reads: refused with the remedy, whatever is wrong, and the next
run begins."""

from __future__ import annotations

from typing import Any

import pytest
from flow.world import World, bank_rows, evaluation_of, golden

from shared.domain.facts import EndpointProbeDue, PromotionRequested, RunMoved
from shared.ports import RunView

GOLDEN = golden(1)
MISSING = object()


@pytest.fixture
def training() -> World:
    """The first run is under way, and a second version waits for it."""
    world = World()
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    return world


def _ends(world: World, documents: dict[str, Any]) -> None:
    """The first run is over, and these are in its model's folder."""
    there = {name: document for name, document in documents.items() if document is not MISSING}
    world.workspace.documents["bank", 1] = there
    world.workspace.runs["bank-v1-a1"] = RunView(name="bank-v1-a1", status="Completed")
    world.tell(RunMoved(run="bank-v1-a1"))


def _reason(world: World, kind: str, id_: str) -> str:
    record = world.ledger.find(kind, id_)
    assert record is not None
    return str(record.values["reason"])


@pytest.mark.parametrize(
    "rows",
    [
        MISSING,
        [],
        None,
        {},
        {**GOLDEN, "rows": 20},
        {**GOLDEN, "rows": [], "probability": []},
        {**GOLDEN, "rows": [*GOLDEN["rows"][1:], ["forty", "two"]]},
        {**GOLDEN, "rows": [*GOLDEN["rows"][1:], ["forty"]]},
        {**GOLDEN, "columns": ["age", "job"]},
        {**GOLDEN, "probability": GOLDEN["probability"][1:]},
        {**GOLDEN, "probability": [None] * 20},
        {**GOLDEN, "probability": "0.5"},
    ],
)
def test_a_model_that_cannot_be_tested_is_never_deployed(training: World, rows: Any) -> None:
    _ends(training, {"evaluation": evaluation_of(1, None), "golden": rows})
    assert training.state("model", "bank:1") == "rolled-back"
    assert "golden.json" in _reason(training, "model", "bank:1")
    assert "have the dataset trained again" in _reason(training, "model", "bank:1")
    assert not training.workspace.states
    assert training.state("run", "bank-v2-a1") == "started"


def test_nor_does_an_operator_get_it_released(training: World) -> None:
    _ends(training, {"evaluation": evaluation_of(1, None, log_loss=0.4)})
    assert training.state("model", "bank:1") != "released"
    asked = round(training.now().timestamp() * 1000)
    wanted = {"operation": "o1", "by": "key:operator", "reason": "the best we have"}
    training.tell(PromotionRequested(dataset="bank", version=1, requested_ms=asked, **wanted))
    assert "golden.json" in _reason(training, "model", "bank:1")
    assert not training.workspace.traffic


def test_a_released_model_whose_golden_rows_are_lost_is_probed_as_faulty(training: World) -> None:
    _ends(training, {"evaluation": evaluation_of(1, None), "golden": GOLDEN})
    assert training.state("model", "bank:1") == "released"
    del training.workspace.documents["bank", 1]["golden"]
    training.tell(EndpointProbeDue(dataset="bank", tick="1"))
    deployment = training.ledger.find("deployment", "campanha-bank/model-1")
    assert deployment is not None
    assert deployment.values["health"]["status"] == "fail"


def _without(path: tuple[Any, ...], put: Any) -> dict[str, Any]:
    """A good evaluation with something else at a place of it, or nothing."""
    whole = evaluation_of(1, None)
    at: Any = whole
    for name in path[:-1]:
        at = at[name]
    if put is MISSING:
        del at[path[-1]]
    else:
        at[path[-1]] = put
    return whole


BROKEN = [
    _without(path, put)
    for path in (("challenger",), ("recipe",), ("rows",), ("model",), ("baseline",))
    for put in (MISSING, None, "?")
] + [_without(("recipe", "name"), MISSING), _without(("champion",), {"version": "second"})]


@pytest.mark.parametrize("evaluation", [MISSING, None, [], "good", 7, *BROKEN])
def test_a_run_without_an_evaluation_that_can_be_read_has_failed(training: World, evaluation: Any) -> None:
    _ends(training, {"evaluation": evaluation, "golden": GOLDEN})
    assert training.state("run", "bank-v1-a1") == "failed", evaluation
    assert "evaluation.json" in _reason(training, "run", "bank-v1-a1")
    assert not training.workspace.states
    assert training.state("run", "bank-v2-a1") == "started"
