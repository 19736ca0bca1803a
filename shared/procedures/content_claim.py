"""Deduplication by content hash: a claim on some rows by the upload that brought them first, once it is admitted.

A worker may die after it claimed and before its upload is admitted, and the file may never come again: then no
upload has the rows. So a claim counts only if its fact ended with the upload admitted; if not, the hash is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared.domain.facts import Fact, UploadAdmitted
from shared.errors import Conflict, Transient
from shared.ledger import Document
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class ContentClaim:
    """Whose rows these are."""

    upload: str
    by: str
    """The key of the fact whose step claimed them."""


CONTENT = Document(name="content", type=ContentClaim)
"""By content hash, within a dataset."""


def claim_content(content_hash: str, dataset: str, upload: str, fact: Fact, services: Services) -> str:
    """The upload that has these rows: this one, unless another was admitted with them before.

    raises: Transient while the worker of another is at it
    """
    documents, mine = services.ledger.documents, ContentClaim(upload=upload, by=fact.key)
    try:
        return documents.write(CONTENT, content_hash, mine, over=None, within=dataset).value.upload
    except Conflict:
        held = documents.read(CONTENT, content_hash, within=dataset)
    if held is None or held.value == mine or _is_admitted(held.value, services):
        return held.value.upload if held else upload
    return documents.write(CONTENT, content_hash, mine, over=held, within=dataset).value.upload


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
