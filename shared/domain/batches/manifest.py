"""A batch's manifest: what was read, which model answered, and what came out of each shard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.domain import names
from shared.domain.batches.plan import BatchPlan
from shared.domain.tables import mended

OF_A_SHARD = ("number", "rows", "refused", "source_sha256", "csv_bytes", "csv_sha256", "parquet_sha256")


def batch_manifest(plan: BatchPlan, shards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The manifest, the same whether endpoint or cluster scored the shards.

    shards: in order, `scored_file.ScoredShard.facts` of each
    """
    return {
        "batch": plan.batch,
        "source": {
            "container": names.SCORING,
            "name": plan.name,
            "etag": plan.etag,
            "bytes": plan.cut.size,
        },
        "output": names.scored_blob(plan.batch),
        "parquet": [names.parquet_blob(plan.batch, shard["number"]) for shard in shards],
        "model": {
            "dataset": plan.cut.contract.dataset,
            "version": plan.version,
            "endpoint": plan.endpoint,
            "deployment": plan.deployment,
        },
        "rows": sum(shard["rows"] for shard in shards),
        "rejected_rows": sum(shard["refused"] for shard in shards),
        **_control(plan, shards),
        "decile_counts": [sum(counts) for counts in zip(*(s["deciles"] for s in shards), strict=True)],
        "mended": _mended(plan, shards),
        "shards": [
            {"start": cut.start, "end": cut.end, **{name: shard[name] for name in OF_A_SHARD}}
            for cut, shard in zip(plan.cut.shards, shards, strict=True)
        ],
    }


def _control(plan: BatchPlan, shards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How many rows chance drew, and with which probability; nothing where none were to be."""
    if plan.control is None:
        return {}
    return {"control": {"share": plan.control.share, "rows": sum(shard["control"] for shard in shards)}}


def _mended(plan: BatchPlan, shards: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was mended in the header, and in all shards together; one scored before this was told has told nothing."""
    rows = mended.added_up(shard.get("mended", ()) for shard in shards)
    return mended.told(mended.of_header(plan.cut.header, plan.cut.contract, "scoring") + rows)
