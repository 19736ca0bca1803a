"""The values of list columns for the rows of one list: an upload's good rows, or those of a file to score."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from shared.domain.lists.list_column import ListColumn

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]


def list_values(definitions: Iterable[ListColumn], table: Any) -> dict[str, Floats]:
    """By list column its value for each row, float64.

    table: an Arrow table of all the list's good rows in their order, with the columns that the definitions name; a
        category is text or dictionary-encoded
    """
    import numpy as np

    rows = table.num_rows
    values = {}
    for one in definitions:
        if one.measure == "rows":
            values[one.name] = np.full(rows, np.log(max(rows, 1)))
        elif one.measure == "run":
            values[one.name] = np.log(run_lengths(table.column(one.column)).astype(np.float64))
        else:
            values[one.name] = np.full(rows, counted(one, table.column(one.column)).sum() / max(rows, 1))
    return values


def run_lengths(column: Any) -> Numbers:
    """For each row how many rows its run has: the consecutive rows with the same value."""
    import numpy as np

    codes = _codes(column.combine_chunks())
    if not len(codes):
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    lengths = np.diff(starts, append=len(codes))
    lengths_of_rows: Numbers = np.repeat(lengths, lengths)
    return lengths_of_rows


def counted(one: ListColumn, column: Any) -> Mask:
    """Which rows a share counts."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if one.above is None:
        found = pc.is_in(column.cast(pa.string()), value_set=pa.array(one.values, pa.string()))
    else:
        found = pc.fill_null(pc.greater(column, one.above), False)
    mask: Mask = np.asarray(found, dtype=np.bool_)
    return mask


def _codes(column: Any) -> Any:
    """A number for each value, equal ones for equal values; no value is a value of its own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return pc.dictionary_encode(column, null_encoding="encode").indices.to_numpy()
