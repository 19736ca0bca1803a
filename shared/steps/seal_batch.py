"""The last shard is scored: make the blocks the output, in one call, and say what it holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from shared.domain import names
from shared.domain.batch_manifest import batch_manifest
from shared.domain.batch_plan import BatchPlan
from shared.domain.facts import BatchScored, Fact, ShardScored
from shared.domain.records import Change
from shared.errors import Conflict
from shared.ports import Row
from shared.services import Services
from shared.steps.batch_plan import close_batch, progress, read_plan

TRIES = 20
"""Shards that end at one moment count themselves in one after another."""


def seal_batch(fact: ShardScored, services: Services) -> Iterable[Fact]:
    """Counts the shard in, and seals when none is missing. Two shards may both see themselves as the last:
    sealing twice commits the same blocks in the same order."""
    with suppress(Conflict):  # noted by an earlier delivery
        services.ledger.put(f"shards-{fact.batch}", f"{fact.number:08d}", asdict(fact), over=None)
    plan = read_plan(fact.batch, services)
    so_far = _count_in(fact, plan, services)
    _show_progress(fact.batch, plan, so_far, services)
    if so_far["shards"] < len(plan.cut.shards):
        return []
    shards = [row.value for row in services.ledger.documents(f"shards-{fact.batch}")]
    services.files.seal(names.SCORED, names.scored_blob(fact.batch), len(shards))
    manifest = batch_manifest(plan, shards)
    blob = names.batch_manifest_blob(fact.batch)
    services.files.write(names.SCORED, blob, json.dumps(manifest, indent=1).encode())
    close_batch(fact.batch, services)
    return [
        BatchScored(
            batch=fact.batch,
            rows=manifest["rows"],
            refused=manifest["refused_rows"],
            deciles=manifest["decile_counts"],
        )
    ]


def _count_in(fact: ShardScored, plan: BatchPlan, services: Services) -> dict[str, Any]:
    """Shards, rows and bytes done so far, this shard included, each shard once however often it is told."""
    shard = plan.cut.shards[fact.number]
    for _ in range(TRIES):
        row = services.ledger.document(f"batch-{fact.batch}", "progress")
        counted: dict[str, Any] = (
            row.value if row else {"done": "0", "rows": 0, "bytes": plan.cut.shards[0].start}
        )
        done = int(counted["done"], 16)
        if not done >> fact.number & 1:
            done |= 1 << fact.number
            rows, size = counted["rows"] + fact.rows, counted["bytes"] + shard.end - shard.start
            counted = {"done": f"{done:x}", "rows": rows, "bytes": size}
            if not _replaced(fact.batch, counted, row, services):
                continue
        return {"shards": done.bit_count(), "rows": counted["rows"], "bytes": counted["bytes"]}
    raise Conflict(f"the progress of batch {fact.batch} changed {TRIES} times under our hands")


def _replaced(batch: str, counted: dict[str, Any], over: Row | None, services: Services) -> bool:
    try:
        services.ledger.put(f"batch-{batch}", "progress", counted, over=over)
    except Conflict:
        return False
    return True


def _show_progress(batch: str, plan: BatchPlan, so_far: dict[str, Any], services: Services) -> None:
    values = progress(plan, so_far, services.now())
    record = services.ledger.find("batch", batch)
    if record is None or record.values.get("shards_scored", 0) <= so_far["shards"]:
        services.ledger.record([Change(kind="batch", id=batch, values=values)])
