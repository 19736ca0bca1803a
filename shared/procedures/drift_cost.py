"""What the serving model's drift costs on a list: the evidence, the pace so far, and the owner's prices, put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from shared.domain import names
from shared.procedures.drift_evidence import seen_of
from shared.services import Services

if TYPE_CHECKING:
    from shared.domain.drift.ahead import Ahead
    from shared.domain.drift.expected_loss import Money
    from shared.domain.drift.score_places import Floats, ScorePlaces

MOST_MODELS = 10
"""The dataset's newest, which say how often one comes."""
A_PAGE, MOST_PAGES = 100, 5
"""Of the list of all models, in which those of other datasets stand too."""


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
    """Reads some pages, whatever is past."""
    from shared.domain.drift.ahead import ahead

    made = [*islice(_made(dataset, services), MOST_MODELS)]
    batches = services.ledger.records.scored_by(names.dataset_id(dataset, model))
    scored = [
        (datetime.fromisoformat(batch.created), int(batch.values.get("rows", 0)))
        for batch in batches
        if batch.state == "scored"
    ]
    return ahead(made, scored, services.now())


def _made(dataset: str, services: Services) -> Iterator[datetime]:
    """When the dataset's models were made, the newest first."""
    before, limit = None, MOST_MODELS
    for _ in range(MOST_PAGES):
        page = services.ledger.records.newest("model", limit=limit, before=before)
        for one in page:
            if one.record.values["dataset"] == dataset:
                yield datetime.fromisoformat(one.record.created)
        if len(page) < limit:
            return
        before, limit = page[-1].number, A_PAGE
