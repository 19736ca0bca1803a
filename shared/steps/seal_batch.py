"""The last shard is scored: make the blocks the output, in one call, and say what it holds."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain import names
from shared.domain.batches.manifest import batch_manifest
from shared.domain.batches.unscored import too_many_unscored
from shared.domain.facts import BatchRefused, BatchScored, Fact, ShardsScored
from shared.domain.json_text import in_lines
from shared.errors import Transient
from shared.procedures.open_batches import close_batch, read_plan
from shared.procedures.scored_before import note_scored
from shared.procedures.shard_progress import shards_noted
from shared.services import Services


def seal_batch(fact: ShardsScored, services: Services) -> Iterable[Fact]:
    """Commits the blocks, then writes the manifest; doing it twice commits the same blocks in the same order.

    A batch with too few scores is refused: its blocks stay uncommitted, and storage drops them.
    raises: Transient while a shard is not scored
    """
    plan = read_plan(fact.batch, services)
    shards = shards_noted(fact.batch, services)
    if len(shards) != len(plan.cut.shards):
        raise Transient(
            f"{len(shards)} of the {len(plan.cut.shards)} shards of batch {fact.batch} are scored"
        )
    fault = too_many_unscored(shards, services.policy.most_unscored_share)
    if fault:
        close_batch(fact.batch, services)
        return [BatchRefused(batch=fact.batch, name=plan.name, reason=fault)]
    services.files.seal(names.SCORED, names.scored_blob(fact.batch), len(shards))
    manifest = batch_manifest(plan, shards)
    blob = names.batch_manifest_blob(fact.batch)
    services.files.write(names.SCORED, blob, in_lines(manifest))
    note_scored(plan, services)
    close_batch(fact.batch, services)
    return [
        BatchScored(
            batch=fact.batch,
            rows=manifest["rows"],
            rejected=manifest["rejected_rows"],
            deciles=manifest["decile_counts"],
            mended=manifest["mended"],
        )
    ]
