"""The rows of a part, as a model takes clients.

Rows that a person had readmitted may break the contract's rules on values: a number beyond its bounds stays what it is, and
a category that is none of the contract's is one that the model has never seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shared.domain.tables.contract import Column, Contract

PIECE = 1 << 16
"""Rows that are in memory at once, unpacked."""


class PartRows:
    """A part's rows, gone through as often as is wanted, piece by piece."""

    def __init__(self, parquet: bytes, contract: Contract) -> None:
        """parquet: as `part_writer.PartWriter` wrote it"""
        self._file = pq.ParquetFile(pa.BufferReader(parquet))
        self._contract = contract

    @property
    def rows(self) -> int:
        return int(self._file.metadata.num_rows)

    def __iter__(self) -> Iterator[tuple[Any, npt.NDArray[np.bool_]]]:
        """Record batches of the contract's features, and of each row whether its answer is the positive one."""
        features = self._contract.features
        names = [*(column.name for column in features), self._contract.target]
        for piece in self._file.iter_batches(batch_size=PIECE, columns=names):
            arrays = [_array(piece.column(column.name), column) for column in features]
            answers = pc.equal(piece.column(self._contract.target), self._contract.positive)
            positive = np.asarray(answers.to_numpy(zero_copy_only=False), dtype=np.bool_)
            yield pa.record_batch(arrays, names=names[:-1]), positive


def _array(values: Any, column: Column) -> Any:
    return values.dictionary_encode() if column.type == "category" else values
