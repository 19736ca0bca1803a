"""An operator has a step tried again that was given up: its fact is due once more, with all its attempts before it."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import Fact, RetryRequested
from shared.services import Services


def retry_step(fact: RetryRequested, services: Services) -> Iterable[Fact]:
    """The fact goes back on the list of the unfinished; nothing when it was done meanwhile, or was never readable."""
    again = services.ledger.outbox.reopen(fact.about, failure=fact.failure)
    return [again] if again else []
