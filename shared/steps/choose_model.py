"""Promotion and rollback by an operator: the version is chosen and released like any other, or a watched one is ended."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import (
    PROMOTE,
    ROLL_BACK,
    Fact,
    PromotionRequested,
    ReleaseDue,
    ReleaseNotPossible,
    RollbackRequested,
)
from shared.domain.kinds.kind import Change
from shared.domain.names import dataset_id
from shared.ledger import Versioned
from shared.procedures.release_decisions import decided
from shared.procedures.released_model import RELEASED, ReleasedModel
from shared.procedures.rollout import ROLLOUT, Rollout, end
from shared.services import Services


def choose_model(fact: PromotionRequested | RollbackRequested, services: Services) -> Iterable[Fact | Change]:
    """Names the version; whether its deployment answers well enough is found out by the release itself.

    A rollback while a new model is watched takes its share of the traffic away: the present one answers all again.
    """
    serving = services.ledger.documents.read(RELEASED, fact.dataset)
    answering = serving.value if serving else None
    if isinstance(fact, PromotionRequested):
        chosen = _released(fact, fact.version, PROMOTE, answering, services)
        return [chosen, *_noted(chosen, fact.version, "promoted", fact, services)]
    rollout = services.ledger.documents.read(ROLLOUT, fact.dataset)
    if rollout and rollout.value.has_traffic_since(fact.requested_ms, answering):
        why = f"model {rollout.value.version} came after it was requested; request it again where it is still wanted"
        return [_no(fact, why)]
    if rollout and _is_to_end(fact, rollout.value, answering):
        return _ended(fact, rollout, serving, services)
    previous = answering.previous if answering else ""
    if answering is None or not previous:
        return [_no(fact, f"no model answered for {fact.dataset} before the present one")]
    chosen = _released(fact, int(previous.removeprefix("model-")), ROLL_BACK, answering, services)
    return [chosen, *_noted(chosen, answering.version, "rolled-back", fact, services)]


def _is_to_end(fact: RollbackRequested, rollout: Rollout, answering: ReleasedModel | None) -> bool:
    """It has traffic, or an earlier delivery of this rollback has ended it and died."""
    ended_by_it = rollout.stage == "ended" and rollout.operation == fact.operation
    return ended_by_it or rollout.has_traffic(answering)


def _ended(
    fact: RollbackRequested,
    rollout: Versioned[Rollout],
    serving: Versioned[ReleasedModel] | None,
    services: Services,
) -> list[Fact | Change]:
    version, reason = rollout.value.version, f"rolled back by {fact.by or 'an operator'}: {fact.reason}"
    ended = end(fact.dataset, rollout, serving, services, reason=reason, operation=fact.operation)
    note = decided(fact.dataset, version, "rolled-back", by=fact.by, reason=fact.reason, services=services)
    return [*ended, note]


def _noted(
    chosen: Fact,
    version: int,
    decision: str,
    fact: PromotionRequested | RollbackRequested,
    services: Services,
) -> list[Change]:
    """The decision in the record of the model that it is on, where it can be done."""
    if not isinstance(chosen, ReleaseDue):
        return []
    return [decided(fact.dataset, version, decision, by=fact.by, reason=fact.reason, services=services)]


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
        by=fact.by,
    )


def _no(fact: PromotionRequested | RollbackRequested, reason: str) -> Fact:
    return ReleaseNotPossible(operation=fact.operation, dataset=fact.dataset, reason=reason)
