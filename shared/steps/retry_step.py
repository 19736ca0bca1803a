"""Retry of a dead letter: the fact of a dead-lettered step is open once more, with all its attempts before it."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import Fact, RetryRequested
from shared.domain.kinds.kind import Change
from shared.services import Services


def retry_step(fact: RetryRequested, services: Services) -> Iterable[Fact | Change]:
    """The fact goes back into the outbox. One that was done meanwhile is no failure any more; one that was never readable
    has nothing to go back."""
    reopened = services.ledger.outbox.reopen(fact.about, failure=fact.failure)
    if reopened:
        return [reopened]
    entry = services.ledger.claims.find(fact.about)
    return [Change(kind="failure", id=fact.failure, state="resolved")] if entry else []
