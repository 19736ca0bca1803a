"""Promotion and rollback by an operator: the version is chosen, and released like any other (see release_model)."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import Fact, PromotionRequested, ReleaseDue, ReleaseNotPossible, RollbackRequested
from shared.domain.names import dataset_id
from shared.procedures.release import ROLL_BACK
from shared.procedures.released_model import RELEASED, ReleasedModel
from shared.services import Services


def choose_model(fact: PromotionRequested | RollbackRequested, services: Services) -> Iterable[Fact]:
    """Names the version; whether its deployment answers well enough is found out by the release itself."""
    serving = services.ledger.documents.read(RELEASED, fact.dataset)
    answering = serving.value if serving else None
    if isinstance(fact, PromotionRequested):
        return [_released(fact, fact.version, "promote", answering, services)]
    previous = answering.previous if answering else ""
    if not previous:
        return [_no(fact, f"no model answered for {fact.dataset} before the present one")]
    return [_released(fact, int(previous.removeprefix("model-")), ROLL_BACK, answering, services)]


def _released(
    fact: PromotionRequested | RollbackRequested,
    version: int,
    because: str,
    answering: ReleasedModel | None,
    services: Services,
) -> Fact:
    if answering and answering.version == version:
        return _no(fact, f"model {version} answers for {fact.dataset} already")
    model = services.ledger.find("model", dataset_id(fact.dataset, version))
    if model is None:
        return _no(fact, f"there is no model {version} of {fact.dataset}")
    return ReleaseDue(
        run=model.values["run"],
        dataset=fact.dataset,
        version=version,
        poll=0,
        after_seconds=0,
        requested_ms=fact.requested_ms,
        because=because,
    )


def _no(fact: PromotionRequested | RollbackRequested, reason: str) -> Fact:
    return ReleaseNotPossible(operation=fact.operation, dataset=fact.dataset, reason=reason)
