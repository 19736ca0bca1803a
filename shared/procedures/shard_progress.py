"""Which shards of a batch are done: each is noted and counted once, however often it is scored."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from shared.domain.batches.plan import BatchPlan
from shared.domain.kinds.kind import Change
from shared.errors import Conflict
from shared.ports import Row
from shared.procedures.open_batches import progress
from shared.services import Services

SHOWN_EVERY = timedelta(seconds=1)
"""A batch's record, which people and programs look at, tells of its progress about so often, however many shards end."""
TRIES = 20
"""Shards that end at one moment count themselves in one after another."""


def shard_done(shard: Mapping[str, Any], plan: BatchPlan, services: Services) -> bool:
    """Notes a shard that is put aside, and says whether none is missing now.

    Two shards that end at one moment may both be told so. shard: the facts of `scored_file.ScoredShard`
    """
    with suppress(Conflict):  # noted by an earlier delivery
        services.ledger.put(f"shards-{plan.batch}", f"{shard['number']:08d}", dict(shard), over=None)
    so_far = _counted_in(shard, plan, services)
    if so_far["shown"]:
        _show(plan, so_far, services)
    return bool(so_far["shards"] == len(plan.cut.shards))


def shards_noted(batch: str, services: Services) -> list[dict[str, Any]]:
    """What each shard that is done said, in order."""
    return [row.value for row in services.ledger.documents(f"shards-{batch}")]


def _counted_in(shard: Mapping[str, Any], plan: BatchPlan, services: Services) -> dict[str, Any]:
    """Shards, rows and bytes done so far, this one included, and whether it is time to show them."""
    number, now = shard["number"], services.now()
    cut = plan.cut.shards[number]
    for _ in range(TRIES):
        row = services.ledger.document(f"batch-{plan.batch}", "progress")
        counted: dict[str, Any] = (
            row.value
            if row
            else {"done": "0", "rows": 0, "bytes": plan.cut.shards[0].start, "shown": plan.since}
        )
        done, shown = int(counted["done"], 16), True
        if not done >> number & 1:
            done |= 1 << number
            rows, size = counted["rows"] + shard["rows"], counted["bytes"] + cut.end - cut.start
            shown = done.bit_count() == len(plan.cut.shards) or _is_stale(counted["shown"], now)
            at = now.isoformat() if shown else counted["shown"]
            counted = {"done": f"{done:x}", "rows": rows, "bytes": size, "shown": at}
            if not _replaced(plan.batch, counted, row, services):
                continue
        so_far = {"shards": done.bit_count(), "rows": counted["rows"], "bytes": counted["bytes"]}
        return {**so_far, "shown": shown}
    raise Conflict(f"the progress of batch {plan.batch} changed {TRIES} times under our hands")


def _is_stale(shown: str, now: datetime) -> bool:
    return now - datetime.fromisoformat(shown) >= SHOWN_EVERY


def _replaced(batch: str, counted: dict[str, Any], over: Row | None, services: Services) -> bool:
    try:
        services.ledger.put(f"batch-{batch}", "progress", counted, over=over)
    except Conflict:
        return False
    return True


def _show(plan: BatchPlan, so_far: dict[str, Any], services: Services) -> None:
    values = progress(plan, so_far, services.now())
    record = services.ledger.find("batch", plan.batch)
    if record is None or record.values.get("shards_scored", 0) <= so_far["shards"]:
        services.ledger.record([Change(kind="batch", id=plan.batch, values=values)])
