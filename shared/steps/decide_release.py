"""Four eyes: a person approves a release that is held, or rejects it; who, when and why stay in the model's record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from shared.domain.facts import Fact, ReleaseDecided, ReleaseDue, ReleaseNotPossible
from shared.domain.kinds.kind import Change
from shared.domain.models.approval import is_same_caller
from shared.ledger import Versioned
from shared.procedures.release_decisions import decided
from shared.procedures.released_model import RELEASED
from shared.procedures.rollout import ROLLOUT, Rollout, advance, end
from shared.services import Services


def decide_release(fact: ReleaseDecided, services: Services) -> Iterable[Fact | Change]:
    """An approved release goes on from where it was held; a rejected one is taken down, as one that failed its test.

    raises: Conflict when the release moved at the same moment
    """
    rollout = services.ledger.documents.read(ROLLOUT, fact.dataset)
    if rollout is None or not _is_ours_to_decide(fact, rollout.value):
        return [_no(fact, f"no release of model {fact.version} of {fact.dataset} waits for a person")]
    note = decided(
        fact.dataset, fact.version, fact.decision, by=fact.by, reason=fact.reason, services=services
    )
    if fact.decision == "rejected":
        return [*_rejected(fact, rollout, services), note]
    if is_same_caller(fact.by, rollout.value.by):
        why = f"{rollout.value.by} asked for this release, so another person has to approve it"
        return [_no(fact, why)]
    return [_approved(fact, rollout, services), note]


def _is_ours_to_decide(fact: ReleaseDecided, rollout: Rollout) -> bool:
    """It waits, or an earlier delivery of this decision died after it was written down."""
    begun = rollout.stage in ("approved", "ended") and rollout.operation == fact.operation
    return rollout.version == fact.version and (rollout.stage == "held" or begun)


def _approved(fact: ReleaseDecided, rollout: Versioned[Rollout], services: Services) -> ReleaseDue:
    approved = replace(rollout.value, stage="approved", operation=fact.operation)
    release = advance(fact.dataset, rollout, approved, services).value
    return ReleaseDue(
        run=release.run,
        dataset=fact.dataset,
        version=fact.version,
        poll=1,  # its first look, 0, may have begun it anew
        after_seconds=0,
        requested_ms=release.requested_ms,
        because=release.because,
        by=release.by,
        approval=fact.operation,
    )


def _rejected(
    fact: ReleaseDecided, rollout: Versioned[Rollout], services: Services
) -> Iterable[Fact | Change]:
    serving = services.ledger.documents.read(RELEASED, fact.dataset)
    reason = f"rejected by {fact.by}: {fact.reason}"
    return end(fact.dataset, rollout, serving, services, reason=reason, operation=fact.operation)


def _no(fact: ReleaseDecided, reason: str) -> Fact:
    return ReleaseNotPossible(operation=fact.operation, dataset=fact.dataset, reason=reason)
