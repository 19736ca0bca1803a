"""Retry of a dead letter: the fact of a dead-lettered step is open once more, with all its attempts before it."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import Fact, RetryRequested
from shared.services import Services


def retry_step(fact: RetryRequested, services: Services) -> Iterable[Fact]:
    """The fact goes back into the outbox; nothing when it was done meanwhile, or was never readable."""
    reopened = services.ledger.outbox.reopen(fact.about, failure=fact.failure)
    return [reopened] if reopened else []
