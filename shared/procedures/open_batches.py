"""Batches under way: the plan as written once, progress and ETA, and the pins on deployments and runs until the end."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain import names
from shared.domain.batches.batch_profile import BatchProfile
from shared.domain.batches.plan import BatchPlan
from shared.domain.batches.shard_plan import ShardRange
from shared.errors import Conflict, Transient
from shared.ledger import Document
from shared.ports import Blob
from shared.procedures.submission import Intent
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class OpenBatch:
    """A batch that still needs its deployment."""

    deployment: str


@dataclass(frozen=True, kw_only=True)
class BatchRun(Intent):
    """A run that scores a batch: `intended` before the POST, `submitted` after, gone at its end."""

    batch: str


OPEN_BATCH = Document(name="open-batch", type=OpenBatch, placement="current")
"""One per batch under way through the endpoint."""
BATCH_RUN = Document(name="batch-run", type=BatchRun, placement="current")
"""One per run, by the name we chose for it."""


def read_plan(batch: str, services: Services) -> BatchPlan:
    """raises: Transient when the plan was removed; the batch cannot go on without it."""
    text = services.files.content(names.SCORED, names.batch_plan_blob(batch))
    if text is None:
        raise Transient(
            f"the plan of batch {batch} is missing from the {names.SCORED} container; drop the file again"
        )
    return BatchPlan.from_json(text)


def read_profile(batch: str, services: Services) -> BatchProfile:
    """raises: Transient when the profile was removed"""
    text = services.files.content(names.SCORED, names.batch_profile_blob(batch))
    if text is None:
        raise Transient(
            f"the profile of batch {batch} is missing from the {names.SCORED} container; drop the file again"
        )
    return BatchProfile.from_json(text)


def read_shard_bytes(plan: BatchPlan, shard: ShardRange, services: Services) -> bytes:
    """The shard's bytes of the file as it was planned; raises: Superseded when it is no longer that version."""
    if shard.start == shard.end:  # a file without rows
        return b""
    blob = Blob(
        container=names.SCORING, name=plan.name, etag=plan.etag, size=plan.cut.size, modified=services.now()
    )
    data = services.files.read_range(blob, shard.start, shard.end)
    if len(data) != shard.end - shard.start:
        raise Transient(f"{len(data)} of {shard.end - shard.start} bytes of shard {shard.number} were read")
    return data


def progress(plan: BatchPlan, so_far: dict[str, Any], now: datetime) -> dict[str, Any]:
    """How far a batch is, and how fast. so_far: its shards, rows and bytes that are done"""
    seconds = max((now - datetime.fromisoformat(plan.since)).total_seconds(), 0.001)
    left = plan.cut.size - so_far["bytes"]
    return {
        "shards_scored": so_far["shards"],
        "rows": so_far["rows"],
        "scored_bytes": so_far["bytes"],
        "rows_per_second": round(so_far["rows"] / seconds),
        "eta_seconds": round(left * seconds / max(so_far["bytes"], 1)) if left else None,
    }


def open_batch(batch: str, deployment: str, services: Services) -> None:
    """From now on the deployment is needed, whatever else is released."""
    with suppress(Conflict):  # opened by an earlier delivery
        services.ledger.documents.write(OPEN_BATCH, batch, OpenBatch(deployment=deployment), over=None)


def close_batch(batch: str, services: Services) -> None:
    opened = services.ledger.documents.read(OPEN_BATCH, batch)
    if opened is not None:
        services.ledger.documents.delete(OPEN_BATCH, opened)


def deployments_in_use(services: Services) -> set[str]:
    """Those that batches under way are pinned to."""
    return {opened.value.deployment for opened in services.ledger.documents.read_all(OPEN_BATCH)}
