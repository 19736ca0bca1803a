"""Batch progress: a bit set of the shards done, so that each is counted once, however often it is scored."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.batches.plan import BatchPlan
from shared.domain.kinds.kind import Change
from shared.errors import Conflict
from shared.ledger import Document, Versioned
from shared.procedures.open_batches import progress
from shared.services import Services

SHOWN_EVERY = timedelta(seconds=1)
"""How often a batch's record, which people and programs poll, is brought up to date, however many shards end."""
TRIES = 20
"""Shards that end at one moment count themselves in one after another."""


@dataclass(frozen=True, kw_only=True)
class ShardNote:
    """The counts and hashes of a staged shard: the facts of `scored_file.ScoredShard`."""

    facts: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How far a batch is."""

    done: str
    """Its shards as a bit set, in hexadecimal."""
    rows: int
    bytes: int
    shown: str
    """When its record was last brought up to date."""


SHARD = Document(name="shard", type=ShardNote)
"""By number, within a batch."""
COUNTED = Document(name="shards-counted", type=Counted)
"""One per batch."""


@dataclass(frozen=True, kw_only=True)
class SoFar:
    """Shards, rows and bytes done, this shard included."""

    shards: int
    rows: int
    bytes: int
    complete: bool
    to_be_shown: bool


def shard_done(shard: Mapping[str, Any], plan: BatchPlan, services: Services) -> SoFar:
    """Notes a staged shard, and counts it in.

    Two shards that end at one moment may both find the batch complete. shard: the facts of `scored_file.ScoredShard`
    """
    note = ShardNote(facts=dict(shard))
    with suppress(Conflict):  # noted by an earlier delivery
        services.ledger.documents.write(SHARD, f"{shard['number']:08d}", note, over=None, within=plan.batch)
    return _counted_in(shard, plan, services)


def shards_noted(batch: str, services: Services) -> list[dict[str, Any]]:
    """The facts of each shard that is done, in order."""
    return [note.value.facts for note in services.ledger.documents.read_all(SHARD, within=batch)]


def shown(so_far: SoFar, plan: BatchPlan, services: Services) -> list[Change]:
    """The progress for the batch's record: now and then, and never less than it showed before.

    It is of the state that the batch is in now: where a worker dies before this is recorded, and the batch is scored
    meanwhile, it is late news when it is recorded after all, and what the end has said stays.
    """
    if not so_far.to_be_shown:
        return []
    record = services.ledger.find("batch", plan.batch)
    if record is not None and record.values.get("shards_scored", 0) > so_far.shards:
        return []
    counted = {"shards": so_far.shards, "rows": so_far.rows, "bytes": so_far.bytes}
    state = record.state if record else None
    return [Change(kind="batch", id=plan.batch, state=state, values=progress(plan, counted, services.now()))]


def _counted_in(shard: Mapping[str, Any], plan: BatchPlan, services: Services) -> SoFar:
    number, now = shard["number"], services.now()
    cut = plan.cut.shards[number]
    for _ in range(TRIES):
        before = services.ledger.documents.read(COUNTED, plan.batch)
        counted = before.value if before else _nothing_yet(plan)
        done, stale = int(counted.done, 16), True
        if not done >> number & 1:
            done |= 1 << number
            stale = done.bit_count() == len(plan.cut.shards) or _is_stale(counted.shown, now)
            counted = Counted(
                done=f"{done:x}",
                rows=counted.rows + shard["rows"],
                bytes=counted.bytes + cut.end - cut.start,
                shown=now.isoformat() if stale else counted.shown,
            )
            if not _replaced(plan.batch, counted, before, services):
                continue
        shards = done.bit_count()
        return SoFar(
            shards=shards,
            rows=counted.rows,
            bytes=counted.bytes,
            complete=shards == len(plan.cut.shards),
            to_be_shown=stale,
        )
    raise Conflict(f"the progress of batch {plan.batch} changed {TRIES} times under our hands")


def _nothing_yet(plan: BatchPlan) -> Counted:
    return Counted(done="0", rows=0, bytes=plan.cut.shards[0].start, shown=plan.since)


def _is_stale(shown_at: str, now: datetime) -> bool:
    return now - datetime.fromisoformat(shown_at) >= SHOWN_EVERY


def _replaced(batch: str, counted: Counted, over: Versioned[Counted] | None, services: Services) -> bool:
    try:
        services.ledger.documents.write(COUNTED, batch, counted, over=over)
    except Conflict:
        return False
    return True
