"""A sample of rows that were scored, with what was answered: read back from the parts of a scored batch."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from shared.domain.batches.shard_plan import ADDED, ShardPlan
from shared.domain.models.answers import DECISIONS
from shared.domain.tables.column_check import ColumnCheck

PROBABILITY, DECISION = ADDED.index("probability"), ADDED.index("decision")
CALL = DECISIONS[1]


@dataclass(frozen=True, kw_only=True)
class ScoredSample:
    """Rows that a model answered."""

    features: Any
    """Record batch, as the model takes them."""
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
    def of(cls, parts: Sequence[bytes], plan: ShardPlan, *, most: int) -> Self:
        """At most so many of the answered rows, evenly spaced, the same ones at each reading.

        parts: Parquet files as `scored_file.write_shard` writes them
        """
        table = pa.concat_tables([pq.read_table(io.BytesIO(part)) for part in parts])
        first_added = plan.header.width
        scored = np.flatnonzero(np.asarray(table.column(first_added + PROBABILITY).is_valid()))
        if len(scored) > most:
            scored = scored[np.linspace(0, len(scored) - 1, most).astype(np.int64)]
        table = table.take(pa.array(scored)).unify_dictionaries().combine_chunks()
        checks = [ColumnCheck(column, plan.contract.mend) for column in plan.contract.features]
        places = [plan.header.columns.index(check.name) for check in checks]
        texts = [_one(table.column(place)) for place in places]
        arrays = [check.array(check(text), None) for check, text in zip(checks, texts, strict=True)]
        return cls(
            features=pa.record_batch(arrays, names=[check.name for check in checks]),
            probability=np.asarray(_one(table.column(first_added + PROBABILITY)), dtype=np.float64),
            calls=np.array(
                [each == CALL for each in table.column(first_added + DECISION).to_pylist()], np.bool_
            ),
        )


def _one(column: Any) -> Any:
    """A column's one chunk; an empty one where it has none."""
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)
