"""What the serving model's drift costs on a list: the evidence, the pace so far, and the owner's prices, put together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.domain import names
from shared.procedures.drift_evidence import seen_of
from shared.services import Services

if TYPE_CHECKING:
    from shared.domain.drift.ahead import Ahead
    from shared.domain.drift.expected_loss import Money
    from shared.domain.drift.score_places import Floats, ScorePlaces

MOST_MODELS = 10
"""The newest, which say how often one comes."""


def money(services: Services) -> Money:
    from shared.domain.drift.expected_loss import Money

    return Money(call_cost=services.policy.call_cost, deposit_value=services.policy.deposit_value)


def asked_about(probability: Floats, services: Services) -> ScorePlaces:
    """These clients, those whom the model would have called marked. probability: no NaN"""
    from shared.domain.drift.score_places import ScorePlaces

    asked = ScorePlaces()
    asked.add(probability, money(services).of_calls(probability) > 0)
    return asked


def cost_on(
    asked: ScorePlaces, dataset: str, model: int, documents: Mapping[str, Any], services: Services
) -> dict[str, Any]:
    """The values of `kinds.drift.DriftCost`. documents: of the model's folder"""
    from shared.domain.drift.cost import cost_of, worth_when_judged
    from shared.domain.drift.expected_loss import too_little

    prices = money(services)
    judged = worth_when_judged(documents, prices)
    seen = seen_of(dataset, model, services)
    coming = "" if too_little(seen) else _ahead(dataset, model, services)
    return cost_of(asked, seen, judged, coming, prices)


def _ahead(dataset: str, model: int, services: Services) -> Ahead | str:
    """Reads two pages, whatever is past."""
    from shared.domain.drift.ahead import ahead

    records = services.ledger.records
    made = [
        datetime.fromisoformat(one.record.created)
        for one in records.newest("model", limit=MOST_MODELS)
        if one.record.values["dataset"] == dataset
    ]
    batches = records.scored_by(names.dataset_id(dataset, model))
    scored = [
        (datetime.fromisoformat(batch.created), int(batch.values.get("rows", 0)))
        for batch in batches
        if batch.state == "scored"
    ]
    return ahead(made, scored, services.now())
