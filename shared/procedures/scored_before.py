"""Deduplication of batches by content: which batches a model scored, by the size of their files, and whether the bytes
of a new file are those of one of them.

Files of another size are other files, so as a rule nothing is read. Where the size is one that the model has met, the
file is read shard by shard up to its first difference. Only a batch whose output is sealed and still there counts: what
is under way may yet fail, and its clients would be scored by nobody. Nor is a batch one of its own: a ledger that was
restored may know less of it than this document.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from shared.domain import names
from shared.domain.batches.plan import BatchPlan
from shared.ledger import Document
from shared.ports import Blob
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class ScoredBatches:
    """Batches of files of one size, scored by one model; the newest first."""

    batches: list[str]


SCORED = Document(name="scored-batches", type=ScoredBatches)
"""By model and size in bytes."""
MOST_KNOWN = 20
"""Batches of one size that a new file is held against."""


def note_scored(plan: BatchPlan, services: Services) -> None:
    """From now on the batch's content is known; doing it again changes nothing. raises: Conflict, to be done again"""
    known = services.ledger.documents.read(SCORED, _part(plan))
    batches = known.value.batches if known else []
    if plan.batch not in batches:
        value = ScoredBatches(batches=[plan.batch, *batches][:MOST_KNOWN])
        services.ledger.documents.write(SCORED, _part(plan), value, over=known)


def scored_before(plan: BatchPlan, blob: Blob, services: Services) -> str:
    """The batch in which the same model scored the same bytes, read by the same contract; empty when there is none.

    raises: Superseded when the file changes while it is read
    """
    known = services.ledger.documents.read(SCORED, _part(plan))
    others = [first for first in known.value.batches if first != plan.batch] if known else []
    return next((first for first in others if _is_same(first, plan, blob, services)), "")


def _part(plan: BatchPlan) -> str:
    return names.digest(f"{plan.model}/{plan.cut.size}")


def _is_same(first: str, plan: BatchPlan, blob: Blob, services: Services) -> bool:
    manifest = services.files.content(names.SCORED, names.batch_manifest_blob(first))
    planned = services.files.content(names.SCORED, names.batch_plan_blob(first))
    if manifest is None or planned is None or not services.files.stat(names.SCORED, names.scored_blob(first)):
        return False
    shards = json.loads(manifest)["shards"]
    return BatchPlan.from_json(planned).cut == plan.cut and all(
        hashlib.sha256(services.files.read_range(blob, shard["start"], shard["end"])).hexdigest()
        == shard["source_sha256"]
        for shard in shards
        if shard["start"] < shard["end"]
    )
