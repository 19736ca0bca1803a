"""The values of list columns for the rows of one list: an upload's good rows, or those of a file to score.

list_values(definitions, table)                                  # the whole list in one table

tally = ListTally(definitions)                                   # or piece by piece, in two passes: first counted,
for piece in pieces:
    tally.add(piece)
for piece, stretch in zip(pieces, tally.stretches(), strict=True):
    list_values(definitions, piece, stretch)                     # then each by itself, in any order, anywhere
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from shared.domain.lists.list_column import ListColumn

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Whole:
    """What is counted of a list as a whole."""

    rows: int
    counted: Mapping[str, int]
    """By list column that is a share: how many of the list's rows it counts."""

    def to_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "counted": dict(self.counted)}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        return cls(rows=body["rows"], counted=body["counted"])


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Some consecutive rows of a list, and how far their first and their last run go on outside of them."""

    rows: int
    before: Mapping[str, int]
    """By column with runs: the rows right before these that are like the first of these."""
    after: Mapping[str, int]
    """Those right after these that are like the last of these."""

    def to_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "before": dict(self.before), "after": dict(self.after)}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        return cls(rows=body["rows"], before=body["before"], after=body["after"])


def list_values(
    definitions: Iterable[ListColumn], table: Any, part: tuple[Whole, Stretch] | None = None
) -> dict[str, Floats]:
    """By list column its value for each row, float64.

    table: an Arrow table, or record batch, of the list's good rows in their order, with the columns that the definitions
        name; a category is text or dictionary-encoded
    part: the list these rows are a part of, and where they stand in it; None when they are all there is
    """
    import numpy as np

    wanted = list(definitions)
    whole, stretch = part or _all(wanted, table)
    rows, of = table.num_rows, max(whole.rows, 1)
    values = {}
    for one in wanted:
        if one.measure == "rows":
            values[one.name] = np.full(rows, np.log(of))
        elif one.measure == "run":
            runs = _runs(table.column(one.column))
            lengths = runs.lengths(stretch.before.get(one.column, 0), stretch.after.get(one.column, 0))
            values[one.name] = np.log(lengths.astype(np.float64))
        else:
            values[one.name] = np.full(rows, whole.counted[one.name] / of)
    return values


def _all(definitions: Iterable[ListColumn], table: Any) -> tuple[Whole, Stretch]:
    tally = ListTally(definitions)
    tally.add(table)
    [stretch] = tally.stretches()
    return tally.whole, stretch


@dataclass(frozen=True)
class _Runs:
    """The runs of a column: what each repeats, and over how many rows."""

    values: list[Any]
    """Of the first and of the last run."""
    counts: Numbers

    def lengths(self, before: int, after: int) -> Numbers:
        """For each row the length of its run."""
        import numpy as np

        total = self.counts.copy()
        if len(total):
            total[0] += before
            total[-1] += after
        lengths: Numbers = np.repeat(total, self.counts)
        return lengths


def _runs(column: Any) -> _Runs:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    codes = pc.dictionary_encode(column, null_encoding="encode").indices.to_numpy()
    if not len(codes):
        return _Runs([], np.zeros(0, dtype=np.int64))
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    counts = np.diff(starts, append=len(codes)).astype(np.int64)
    return _Runs([column[0].as_py(), column[-1].as_py()], counts)


def _counted(one: ListColumn, column: Any) -> int:
    """How many rows a share counts; no value is not counted."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if one.above is None:
        found = pc.is_in(column.cast(pa.string()), value_set=pa.array(one.values, pa.string()))
    else:
        found = pc.greater(column, one.above)
    return int(pc.sum(found).as_py() or 0)


@dataclass
class ListTally:
    """What a list's columns are made of, counted over its consecutive pieces; memory does not grow with the rows."""

    definitions: Iterable[ListColumn]
    _rows: list[int] = field(default_factory=list)
    _runs: dict[str, list[_Runs]] = field(default_factory=dict)
    _counted: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.definitions = list(self.definitions)
        self._runs = {one.column: [] for one in self.definitions if one.measure == "run"}
        self._counted = {one.name: 0 for one in self.definitions if one.measure == "share"}

    def add(self, table: Any) -> None:
        """The next rows: an Arrow table or record batch, as `list_values` takes it."""
        self._rows.append(table.num_rows)
        for column, ends in self._runs.items():
            runs = _runs(table.column(column))
            ends.append(_Runs(runs.values, _ends(runs.counts)))
        for one in self.definitions:
            if one.measure == "share":
                self._counted[one.name] += _counted(one, table.column(one.column))

    @property
    def whole(self) -> Whole:
        return Whole(rows=sum(self._rows), counted=dict(self._counted))

    def stretches(self) -> list[Stretch]:
        """One for each piece that was added."""
        before = {column: _carried(ends) for column, ends in self._runs.items()}
        after = {
            column: _carried([_backward(runs) for runs in ends[::-1]])[::-1]
            for column, ends in self._runs.items()
        }
        return [
            Stretch(
                rows=rows,
                before={column: counts[place] for column, counts in before.items()},
                after={column: counts[place] for column, counts in after.items()},
            )
            for place, rows in enumerate(self._rows)
        ]


def _ends(counts: Numbers) -> Numbers:
    """Of the runs the first and the last: all that the pieces around it need to know."""
    import numpy as np

    return counts if len(counts) < 2 else np.array([counts[0], counts[-1]], dtype=np.int64)


def _backward(runs: _Runs) -> _Runs:
    return _Runs(runs.values[::-1], runs.counts[::-1])


def _carried(pieces: list[_Runs]) -> list[int]:
    """For each piece how many rows right before it are like its first one."""
    found, value, length = [], None, 0
    for runs in pieces:
        if not len(runs.counts):
            found.append(0)
            continue
        carried = length if length and runs.values[0] == value else 0
        found.append(carried)
        value = runs.values[-1]
        length = int(runs.counts[-1]) + (carried if len(runs.counts) == 1 else 0)
    return found
