"""A model that fails on rows: an outage is waited out, odd rows come out with the reason, and too many are no batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flow.engine import release
from flow.world import World, bank_rows, golden

from shared.adapters.memory import MemoryEndpoint
from shared.domain.facts import BatchRefused, BatchScored, Fact, ScoringDue
from shared.errors import Transient, Unanswerable
from shared.ports import Scores

CLIENTS = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(30, start=20).splitlines()) + "\n"
"""Aged 40 to 69; the golden rows are aged 20 to 39."""


@dataclass
class FailingEndpoint(MemoryEndpoint):
    """Answers 424 to each request that it is told to fail."""

    fails: Callable[[int, list[int]], bool] = lambda request, ages: False
    ages: list[list[int]] = field(default_factory=list)
    """Those of each request."""

    def score(self, endpoint: str, deployment: str, rows: Any) -> Scores:
        self.ages.append(rows.column("age").to_pylist())
        if self.fails(len(self.ages), self.ages[-1]):
            raise Unanswerable("deployment model-1 answered 424: said the server")
        return super().score(endpoint, deployment, rows)


@pytest.fixture
def endpoint() -> FailingEndpoint:
    return FailingEndpoint()


@pytest.fixture
def world(world: World, endpoint: FailingEndpoint) -> Iterator[World]:
    release(world, 1)
    world.workspace.documents["bank", 1] = {"golden": golden(1)}
    world.endpoint = endpoint
    world.files.write("scoring", "clients.csv", CLIENTS.encode())
    return world


def due(world: World) -> Fact:
    """The shard that waits to be scored."""
    world.deliver(ScoringDue(tick="1"))
    world.deliver(world.due.pop()[1])
    world.deliver(world.due.pop()[1])
    ((_, shard),) = world.due
    world.due.clear()
    return shard


def test_an_outage_of_the_endpoint_is_waited_out(world: World, endpoint: FailingEndpoint) -> None:
    """It answers 424 to everything, for a while: no row is at fault, and none comes out without a score."""
    shard = due(world)
    endpoint.fails = lambda request, ages: True
    with pytest.raises(Transient, match="golden rows"):
        world.deliver(shard)
    assert world.told(BatchScored) == []
    endpoint.fails = lambda request, ages: False
    world.tell(shard)
    (scored,) = world.told(BatchScored)
    assert (scored.rows, scored.rejected) == (30, 0)


def test_an_outage_that_ends_while_rows_are_looked_for_costs_no_row_its_score(
    world: World, endpoint: FailingEndpoint
) -> None:
    shard = due(world)
    endpoint.fails = lambda request, ages: request <= 5  # down to one row; the golden rows are answered again
    world.tell(shard)
    (scored,) = world.told(BatchScored)
    assert (scored.rows, scored.rejected) == (30, 0)


def test_a_deployment_that_answers_its_golden_rows_wrongly_is_out_as_well(
    world: World, endpoint: FailingEndpoint
) -> None:
    shard = due(world)
    endpoint.fails = lambda request, ages: 45 in ages
    world.workspace.documents["bank", 1]["golden"]["probability"][3] = 0.123
    with pytest.raises(Transient, match="golden rows"):
        world.deliver(shard)


def test_a_row_the_model_fails_on_while_it_is_well_comes_out_with_the_reason(
    world: World, endpoint: FailingEndpoint
) -> None:
    endpoint.fails = lambda request, ages: 45 in ages
    world.tell(ScoringDue(tick="1"))
    (scored,) = world.told(BatchScored)
    assert (scored.rows, scored.rejected) == (30, 1)
    lines = (world.files.content("scored", f"{scored.batch}/scored.csv") or b"").decode().splitlines()
    assert ["could not score this row" in line for line in lines].count(True) == 1
    assert "could not score this row" in lines[6]


def test_a_batch_of_which_too_many_rows_have_no_score_is_refused(
    world: World, endpoint: FailingEndpoint
) -> None:
    """The model is well and fails on every other row of the file: that is not the file it was made for."""
    endpoint.fails = lambda request, ages: any(age % 2 for age in ages if age >= 40)
    world.tell(ScoringDue(tick="1"))
    (refused,) = world.told(BatchRefused)
    assert "15 of 30 rows" in refused.reason
    assert world.told(BatchScored) == []
    assert world.files.stat("scored", f"{refused.batch}/scored.csv") is None
    assert world.state("batch", refused.batch) == "refused"


@pytest.mark.parametrize(("most", "state"), [(0.5, "scored"), (0.49, "refused")])
def test_how_many_rows_may_be_without_a_score_is_the_owners_choice(
    world: World, endpoint: FailingEndpoint, most: float, state: str
) -> None:
    world.policy = replace(world.policy, most_unscored_share=most)
    endpoint.fails = lambda request, ages: any(age % 2 for age in ages if age >= 40)
    world.tell(ScoringDue(tick="1"))
    assert [record.state for record in world.ledger.newest("batch")] == [state]
