"""Deduplication by content hash: a claim on some rows by the upload that brought them first, once it is admitted.

A worker may die after it claimed and before its upload is admitted, and the file may never come again: then no
upload has the rows. So a claim counts only if its fact ended with the upload admitted; if not, the hash is free.

The claim also names every file that brought the rows: when one of them is overwritten, the others keep them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from shared.domain.facts import UploadAdmitted
from shared.errors import Conflict, Transient
from shared.ledger import Document
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class ContentClaim:
    """Whose rows these are."""

    upload: str
    by: str
    """The key of the fact whose step claimed them."""
    files: dict[str, str] = field(default_factory=dict)
    """Names of files that brought them, at most `MOST_FILES`, each with its newest upload that did."""

    @property
    def full(self) -> bool:
        """Whether there may be more files than it names."""
        return len(self.files) >= MOST_FILES


CONTENT = Document(name="content", type=ContentClaim)
"""By content hash, within a dataset."""
MOST_FILES = 100


def claim_content(
    content_hash: str, dataset: str, mine: ContentClaim, name: str, services: Services, *, anew: bool = False
) -> str:
    """The upload that has these rows: this one, unless another was admitted with them before.

    mine: the upload that is being admitted, and its fact. name: of its file
    anew: whether this upload is to have them although another had: its rows are in the dataset no longer
    raises: Transient while the worker of another is at it
    """
    documents = services.ledger.documents
    files = {name: mine.upload}
    try:
        found = documents.write(CONTENT, content_hash, replace(mine, files=files), over=None, within=dataset)
        return found.value.upload
    except Conflict:
        held = documents.read(CONTENT, content_hash, within=dataset)
    if held is None:
        raise Transient("the claim on these rows was there and is gone; they are claimed again")
    known = held.value
    files = known.files if known.full else {**known.files, **files}
    is_mine = (known.upload, known.by) == (mine.upload, mine.by)
    first = mine if anew or is_mine or not _is_admitted(known, services) else known
    if (first.upload, first.by, files) != (known.upload, known.by, known.files):
        documents.write(CONTENT, content_hash, replace(first, files=files), over=held, within=dataset)
    return first.upload


def _is_admitted(claim: ContentClaim, services: Services) -> bool:
    entry = services.ledger.claims.find(claim.by)
    if entry is None:
        return False
    outcome = services.ledger.claims.outcome(claim.by)
    if outcome is not None:
        return any(isinstance(fact, UploadAdmitted) and fact.upload == claim.upload for fact in outcome.facts)
    lease = timedelta(seconds=services.policy.claim_seconds)
    if entry.value["state"] == "claimed" and services.now() - entry.changed < lease:
        raise Transient("the same rows are being admitted from another file; this one is tried again")
    return False
