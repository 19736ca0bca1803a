"""A batch is sealed: what it is expected to bring, what drift costs on it, and the call list: whom to call, best first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from shared.domain.facts import BatchScored, Fact
from shared.domain.kinds.kind import Change
from shared.domain.lists.list_drift import score_drift
from shared.procedures.call_list import Unlistable, begin_listing, write_call_list
from shared.procedures.drift_cost import asked_about, cost_on
from shared.procedures.drift_retrain import ask_for_retrain
from shared.procedures.sealed_batch import SealedBatch, read_sealed
from shared.services import Services

if TYPE_CHECKING:
    from shared.domain.drift.score_places import ScorePlaces


def list_calls(fact: BatchScored, services: Services) -> Iterable[Fact | Change]:
    """Reads the scores once, shard by shard, whether endpoint or cluster wrote them, and the lines of those to call.

    After the sealing, not in it: the scores are there however long this takes. Where the do-not-call list cannot be
    applied there is no call list at all, and the record says why.
    """
    from shared.domain.drift.score_places import ScorePlaces
    from shared.domain.outcomes.expectation import Expectation

    sealed, policy = read_sealed(fact.batch, services), services.policy
    expectation = Expectation(call_cost=policy.call_cost, deposit_value=policy.deposit_value)
    values: dict[str, Any] = {"call_list_problem": None}
    try:
        listing = begin_listing(sealed, services) if policy.call_list else None
    except Unlistable as fault:
        listing, values = None, {"call_list_problem": str(fault)}
    columns = listing.columns if listing else ["probability"]
    asked = ScorePlaces()
    for shard in sealed.shards(columns, services):
        probability = shard.table.column("probability").drop_null().to_numpy()
        expectation.add(probability)
        asked = asked.plus(asked_about(probability, services))
        if listing:
            listing.add(shard)
    values["expected"] = expectation.figures()
    if listing:
        try:
            values["call_list"] = write_call_list(listing, services)
        except Unlistable as fault:
            values["call_list_problem"] = str(fault)
    drift, asks = _drift(fact, asked, sealed, services)
    return [Change(kind="batch", id=fact.batch, values=values | drift), *asks]


def _drift(
    fact: BatchScored, asked: ScorePlaces, sealed: SealedBatch, services: Services
) -> tuple[dict[str, Any], list[Fact | Change]]:
    """How far its scores are from those that its model knows, what drift costs on this batch, and the retrain that this
    asks for."""
    plan, dataset = sealed.plan, sealed.plan.cut.contract.dataset
    documents = services.workspace.model_documents(dataset, plan.version)
    cost = cost_on(asked, dataset, plan.version, documents, services)
    drift = {"score_drift": score_drift(fact.deciles, documents), "drift_cost": cost}
    return drift, ask_for_retrain(f"batch {plan.batch}", cost, dataset, plan.version, services)
