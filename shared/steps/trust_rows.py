"""Trust: a person answers for the rows of a dataset version that training doubts, so that they are learned from."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import DecisionNotPossible, Fact, RetrainDue, RowsTrusted, TrustRequested
from shared.domain.kinds.kind import Change
from shared.domain.names import dataset_id
from shared.procedures.data_decisions import Trust, settled, trust
from shared.services import Services


def trust_rows(fact: TrustRequested, services: Services) -> Iterable[Fact | Change]:
    """Writes the decision down; the next dataset version's manifest says it to the training pipeline.

    It may come before there is a doubt: a campaign of its own kind can be announced.
    """
    id_ = dataset_id(fact.dataset, fact.version)
    if services.ledger.find("dataset", id_) is None:
        return [_no(fact, f"there is no dataset version {id_}")]
    decision = Trust(version=fact.version, operation=fact.operation, by=fact.by, reason=fact.reason)
    standing = trust(fact.dataset, decision, services)
    if standing.operation != fact.operation:
        return [_no(fact, f"the rows of {id_} are trusted already, by {standing.by}: {standing.reason}")]
    trusted = RowsTrusted(
        dataset=fact.dataset,
        version=fact.version,
        operation=fact.operation,
        by=fact.by,
        reason=fact.reason,
    )
    again = RetrainDue(dataset=fact.dataset, tick=f"trusted-{fact.operation}", asked=True)
    return [trusted, *([again] if fact.retrain else []), *settled(id_, services)]


def _no(fact: TrustRequested, reason: str) -> Fact:
    return DecisionNotPossible(operation=fact.operation, reason=reason)
