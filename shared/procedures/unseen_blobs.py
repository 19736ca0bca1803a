"""Which blobs of a container has nobody heard of yet? Asked again and again, at the cost of the new ones only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.facts import Fact
from shared.errors import Conflict
from shared.ledger import Document
from shared.ports import Blob
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Up to when a container's blobs are known."""

    since: str


LISTED = Document(name="listed", type=Listed)
"""One per container: a high-water mark."""
OVERLAP = timedelta(minutes=15)
"""How far back beyond the last look is looked: clocks differ, and long uploads end late."""


def unseen_blobs(
    container: str, fact_of: Callable[[Blob], Fact], services: Services
) -> Iterator[tuple[Blob, Fact]]:
    """The blobs whose fact no delivery has claimed, with that fact.

    A look begins where the one before left off, but never after a blob that was still unheard of then: what a look
    found and then, dying, told nobody, the next look finds again.
    """
    ledger, began = services.ledger, services.now()
    mark = ledger.documents.read(LISTED, container)
    since = datetime.fromisoformat(mark.value.since) if mark else None
    unclaimed = [began - OVERLAP]
    for blob in services.files.list(container, modified_since=since):
        fact = fact_of(blob)
        if not ledger.claims.seen(fact):
            unclaimed.append(blob.modified)
            yield blob, fact
    try:
        ledger.documents.write(LISTED, container, Listed(since=min(unclaimed).isoformat()), over=mark)
    except Conflict:
        return  # somebody else looked as well
