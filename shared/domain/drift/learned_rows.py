"""The rows that a model has learned from, known by their digests: what came of them does not say how right it is.

Banks drop extracts that overlap, or all they have. A model's folder holds the digests of what it learned from, eight bytes
a row; rows that were held out are not among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.domain.datasets.row_digest import row_digests


@dataclass(frozen=True, kw_only=True)
class LearnedRows:
    """Of one model."""

    digests: npt.NDArray[np.uint64]
    """Of the features of each, sorted."""
    features: Sequence[str]
    """The model's."""

    def among(self, rows: Any) -> npt.NDArray[np.bool_]:
        """Which of these it has learned from. rows: a record batch, as `part_rows.PartRows` has them"""
        table = pa.table({name: _plain(rows.column(name)) for name in self.features})
        asked = row_digests(table, self.features)
        found: npt.NDArray[np.bool_] = np.searchsorted(self.digests, asked) < np.searchsorted(
            self.digests, asked, side="right"
        )
        return found


def _plain(column: Any) -> Any:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
