"""A sample of rows that were scored, with what was answered: read back from the parts of a scored batch."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shared.domain.batches.batch_profile import BatchProfile
from shared.domain.batches.shard_plan import ADDED, ShardPlan
from shared.domain.models.answers import DECISIONS
from shared.domain.tables.column_check import ColumnCheck

PROBABILITY, DECISION, MODEL = (ADDED.index(name) for name in ("probability", "decision", "model_version"))
CALL = DECISIONS[1]


@dataclass(frozen=True, kw_only=True)
class ScoredSample:
    """Rows that a model answered."""

    features: Any
    """Record batch, as the model takes them; with columns of the list that they stood on, where it asks for some."""
    probability: npt.NDArray[np.float64]
    calls: npt.NDArray[np.bool_]
    """Whether it would have had the client called."""

    def __len__(self) -> int:
        return len(self.probability)

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """By feature: the rows' numbers, or the places of their categories."""
        return {
            name: np.asarray(column.indices)
            if isinstance(column, pa.DictionaryArray)
            else np.asarray(column, dtype=np.float64)
            for name, column in zip(self.features.schema.names, self.features.columns, strict=True)
        }

    @classmethod
    def of(
        cls, parts: Mapping[int, bytes], plan: ShardPlan, *, profile: BatchProfile | None, most: int
    ) -> Self:
        """At most so many of the answered rows, evenly spaced, the same ones at each reading; raises: OtherRows

        parts: by shard its Parquet file as `scored_file.write_shard` writes it
        profile: whose list columns the rows get, as each row's place in the whole list has them; None: none
        """
        tables = {number: _good(part, plan) for number, part in parts.items()}
        rows = [_features(table, plan) for table in tables.values()]
        if profile:
            rows = [profile.with_list(some, number) for number, some in zip(tables, rows, strict=True)]
        features, answers = pa.concat_batches(rows), pa.concat_tables(tables.values())
        probability = answers.column(plan.header.width + PROBABILITY)
        scored = np.flatnonzero(np.asarray(probability.is_valid()))
        if len(scored) > most:
            scored = scored[np.linspace(0, len(scored) - 1, most).astype(np.int64)]
        chosen = pa.array(scored)
        decisions = answers.column(plan.header.width + DECISION).take(chosen)
        return cls(
            features=features.take(chosen),
            probability=np.asarray(probability.take(chosen), dtype=np.float64),
            calls=np.array([each == CALL for each in decisions.to_pylist()], np.bool_),
        )


def _good(part: bytes, plan: ShardPlan) -> Any:
    """The shard's rows that a model was asked about, answered or not: those that name it."""
    table = pq.read_table(io.BytesIO(part))
    return table.filter(pc.is_valid(table.column(plan.header.width + MODEL)))


def _features(table: Any, plan: ShardPlan) -> Any:
    table = table.unify_dictionaries().combine_chunks()
    checks = [ColumnCheck(column, plan.contract.mend) for column in plan.contract.features]
    texts = [_one(table.column(plan.header.columns.index(check.name))) for check in checks]
    arrays = [check.array(check(text), None) for check, text in zip(checks, texts, strict=True)]
    return pa.record_batch(arrays, names=[check.name for check in checks])


def _one(column: Any) -> Any:
    """A column's one chunk; an empty one where it has none."""
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)
