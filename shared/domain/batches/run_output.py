"""The description of a batch run's output, shard by shard, and its check against the batch's plan."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain import names
from shared.domain.batches.plan import BatchPlan

DECILES = 10
"""As in `shared.domain.models.answers`, which would bring pyarrow with it."""
COUNTS = ("rows", "refused", "unanswered", "csv_bytes", "parquet_bytes")
DIGESTS = ("source_sha256", "csv_sha256", "parquet_sha256")
SHA256 = re.compile(r"[0-9a-f]{64}")


class Mismatch(ValueError):
    """A run's output differs from its plan; the message says where."""


def describe(plan: BatchPlan, shards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The description of a run's output, which lies beside it.

    shards: `scored_file.ScoredShard.facts` and `parquet_bytes` of each
    """
    return {"batch": plan.batch, "model": plan.model, "shards": [dict(shard) for shard in shards]}


def read_shards(text: bytes | None, plan: BatchPlan) -> list[dict[str, Any]]:
    """The shards as the run described them, in order; raises: Mismatch"""
    if text is None:
        raise Mismatch(f"it left no {names.batch_shards_blob(plan.batch)}")
    try:
        body = json.loads(text)
        about, shards = (body["batch"], body["model"]), list(body["shards"])
        numbers = [shard["number"] for shard in shards]
    except (ValueError, KeyError, TypeError) as cause:
        raise Mismatch(f"what it says of its shards cannot be read: {type(cause).__name__}") from cause
    if about != (plan.batch, plan.model):
        raise Mismatch(f"it scored {about[0]} with {about[1]}, not {plan.batch} with {plan.model}")
    if numbers != list(range(len(plan.cut.shards))):
        raise Mismatch(
            f"it describes {len(numbers)} shards, not of the plan's {len(plan.cut.shards)} in order"
        )
    counts = (*COUNTS, "control") if plan.control else COUNTS
    for shard in shards:
        _check(shard, counts)
    return shards


def check_sizes(plan: BatchPlan, shards: Sequence[Mapping[str, Any]], sizes: Mapping[str, int]) -> None:
    """Checks that every file the description names is there, whole; raises: Mismatch

    sizes: bytes of each blob in the batch's folder
    """
    expected = {names.scored_blob(plan.batch): sum(shard["csv_bytes"] for shard in shards)}
    expected |= {names.parquet_blob(plan.batch, shard["number"]): shard["parquet_bytes"] for shard in shards}
    for name, size in expected.items():
        if sizes.get(name) != size:
            raise Mismatch(f"{name} has {sizes.get(name, 'no')} bytes, not {size}")


def _check(shard: Mapping[str, Any], counts: Sequence[str]) -> None:
    """Numbers that can be, and add up."""
    deciles = shard.get("deciles")
    sound = (
        all(type(shard.get(name)) is int and shard[name] >= 0 for name in counts)
        and all(SHA256.fullmatch(str(shard.get(name))) for name in DIGESTS)
        and shard["unanswered"] <= shard["refused"] <= shard["rows"]
        and isinstance(deciles, list)
        and len(deciles) == DECILES
        and sum(deciles) == shard["rows"] - shard["refused"]
    )
    if not sound:
        raise Mismatch(f"what it says of shard {shard['number']} does not add up")
