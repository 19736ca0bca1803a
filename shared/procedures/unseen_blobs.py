"""Which blobs of a container has nobody heard of yet? Asked again and again, at the cost of the new ones only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from shared.domain.facts import Fact
from shared.errors import Conflict
from shared.ports import Blob
from shared.services import Services

OVERLAP = timedelta(minutes=15)
"""How far back beyond the last look is looked: clocks differ, and long uploads end late."""


def new_blobs(
    container: str, fact_of: Callable[[Blob], Fact], services: Services
) -> Iterator[tuple[Blob, Fact]]:
    """The blobs whose fact no delivery has claimed, with that fact.

    A look begins where the one before left off, but never after a blob that was still unheard of then: what a look
    found and then, dying, told nobody, the next look finds again.
    """
    ledger, began = services.ledger, services.now()
    mark = ledger.document("looked", container)
    since = datetime.fromisoformat(mark.value["since"]) if mark else None
    unheard = [began - OVERLAP]
    for blob in services.files.list(container, modified_since=since):
        fact = fact_of(blob)
        if not ledger.seen(fact):
            unheard.append(blob.modified)
            yield blob, fact
    try:
        ledger.put("looked", container, {"since": min(unheard).isoformat()}, over=mark)
    except Conflict:
        return  # somebody else looked as well
