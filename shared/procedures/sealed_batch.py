"""A sealed batch read again, shard by shard: its plan, its manifest, and the scored rows as Parquet and as lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain import names
from shared.domain.batches.plan import BatchPlan
from shared.errors import Transient
from shared.procedures.open_batches import read_plan
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class SealedShard:
    """One shard's scored rows."""

    number: int
    first: int
    """The number of its first row in the batch; the batch's first is 1."""
    rows: int
    table: Any
    """Arrow table of the columns that were asked for."""


@dataclass(frozen=True, kw_only=True)
class SealedBatch:
    """What lies in the container of scored files."""

    plan: BatchPlan
    manifest: dict[str, Any]

    def shards(self, columns: Sequence[str], services: Services) -> Iterator[SealedShard]:
        """Each in order, one in memory at a time; raises: Transient when one was removed"""
        import pyarrow as pa
        import pyarrow.parquet as pq

        first = 1
        for blob, shard in zip(self.manifest["parquet"], self.manifest["shards"], strict=True):
            data = services.files.content(names.SCORED, blob)
            if data is None:
                raise Transient(f"{names.SCORED}/{blob} is gone; score the file anew to have it again")
            table = pq.read_table(pa.BufferReader(data), columns=list(columns))
            yield SealedShard(number=shard["number"], first=first, rows=shard["rows"], table=table)
            first += shard["rows"]

    def lines(self, services: Services) -> Iterator[tuple[int, int, bytes]]:
        """By shard the number of its first row, its rows and its part of the scored CSV, with the header in the first."""
        blob = services.files.stat(names.SCORED, names.scored_blob(self.plan.batch))
        if blob is None:
            raise Transient(f"the scored CSV of batch {self.plan.batch} is gone; score the file anew")
        first, at = 1, 0
        for shard in self.manifest["shards"]:
            end = at + shard["csv_bytes"]
            yield first, shard["rows"], services.files.read_range(blob, at, end)
            first, at = first + shard["rows"], end


def read_sealed(batch: str, services: Services) -> SealedBatch:
    """raises: Transient when plan or manifest was removed"""
    manifest = services.files.content(names.SCORED, names.batch_manifest_blob(batch))
    if manifest is None:
        raise Transient(f"the manifest of batch {batch} is missing from the {names.SCORED} container")
    return SealedBatch(plan=read_plan(batch, services), manifest=json.loads(manifest))
