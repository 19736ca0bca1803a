"""Discovery of blobs that no delivery has claimed: a high-water mark, so that only the newer ones cost ledger calls.

Listing a container costs a call for each page of all its blobs, old ones too: storage has no filter by time. What the
mark saves is a look-up in the ledger for each blob; blobs seen by this process before cost none (`Outbox.is_noted`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain import names
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
"""How far the mark stays behind the beginning of a listing: clocks differ, and long uploads end late."""


def is_taken_in(container: str, name: str, services: Services) -> bool:
    """Whether files of this name are for us, by the settings."""
    policy = services.policy
    return names.is_taken(name, policy.scoring_names if container == names.SCORING else policy.incoming_names)


def unseen_blobs(
    container: str, fact_of: Callable[[Blob], Fact], services: Services
) -> Iterator[tuple[Blob, Fact]]:
    """The blobs whose fact nobody is at and nobody has done, with that fact.

    A listing begins where the one before left off, but never after a blob that was still unclaimed then: what a worker
    found and died before publishing, the next one finds again.
    """
    ledger, began = services.ledger, services.now()
    mark = ledger.documents.read(LISTED, container)
    since = min(datetime.fromisoformat(mark.value.since), began - OVERLAP) if mark else None
    newest, unclaimed = since, [began - OVERLAP]
    for blob in services.files.list(container, modified_since=since):
        newest = max(newest or blob.modified, blob.modified)
        if not is_taken_in(container, blob.name, services):
            continue
        fact = fact_of(blob)
        if not ledger.outbox.is_noted(fact):
            unclaimed.append(blob.modified)
            yield blob, fact
    if newest is None:
        return
    # Whatever a clock says: the next blob is no older than the newest that was seen.
    reached = min(newest, *unclaimed).isoformat()
    if mark and mark.value.since == reached:
        return
    try:
        ledger.documents.write(LISTED, container, Listed(since=reached), over=mark)
    except Conflict:
        return  # another worker listed as well; either mark is safe, as both stay behind what was unclaimed
