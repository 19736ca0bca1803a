"""Which rows of a batch a file's keys are of: each shard is asked once, and memory grows with the file, not the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.domain.outcomes.outcome_file import SEPARATOR

Ints = npt.NDArray[np.int64]


class RowMatch:
    """By key the number of its row, and how many rows have it."""

    def __init__(self, keys: Sequence[str], columns: Sequence[str], *, numbered: bool) -> None:
        """columns: those of the key; numbered: whether the first of them is the row's number, and no column of the batch"""
        self._columns, self._numbered = list(columns)[numbered:], numbered
        self._keys = pa.array(list(keys), pa.string())
        self.rows: Ints = np.zeros(len(keys), dtype=np.int64)
        """By key the number of its row, the batch's first being 1; 0 where there is none."""
        self.hits: Ints = np.zeros(len(keys), dtype=np.int64)

    @property
    def columns(self) -> list[str]:
        """Those of the batch that are asked."""
        return self._columns

    def add(self, first: int, rows: int, table: Any) -> None:
        """first: the number of the table's first row"""
        texts = [pc.utf8_trim_whitespace(table.column(name).cast(pa.string())) for name in self._columns]
        if self._numbered:
            texts.insert(0, pa.array(np.arange(first, first + rows)).cast(pa.string()))
        joined = pc.binary_join_element_wise(*texts, SEPARATOR) if len(texts) > 1 else texts[0]
        found = pc.index_in(joined, value_set=self._keys).fill_null(-1).to_numpy()
        at = np.flatnonzero(found >= 0)
        self.rows[found[at]] = first + at
        self.hits += np.bincount(found[at], minlength=len(self.hits))
