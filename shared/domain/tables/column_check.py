"""Checks a column of texts against its contract, each distinct text once, and types it for the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.domain.tables.contract import Column, Mend
from shared.domain.tables.values import Fault, Judged

MANY = 64
"""Distinct texts from which on it pays to judge plainly written numbers all at once."""
PLAIN_NUMBER = {"integer": r"^-?[0-9]{1,18}$", "number": r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$"}


@dataclass(frozen=True, kw_only=True)
class CheckedColumn:
    """One column of some records."""

    codes: npt.NDArray[np.int32]
    """By record: which distinct text it holds."""
    values: npt.NDArray[Any]
    """By distinct text: its number, or the place of a category among the contract's."""
    faults: dict[int, str]
    """By distinct text that breaks a rule: which one, and what to do."""
    bad: npt.NDArray[np.bool_] | None
    """By record: whether its text breaks a rule; None when none does."""
    mended: dict[str, int] = field(default_factory=dict)
    """How many records' texts were mended, by what was."""

    def fault(self, row: int) -> str:
        return self.faults[int(self.codes[row])]


class ColumnCheck:
    """One column's rules, its type on the wire, and the texts it has met so far."""

    def __init__(self, column: Column, mend: Collection[Mend] = ()) -> None:
        self.name = column.name
        self._column = column
        self._judged = Judged(column, mend=mend)
        self._places = {value: place for place, value in enumerate(column.values)}
        self._type = _numpy_type(column)

    def __call__(self, texts: Any) -> CheckedColumn:
        """texts: dictionary-encoded, as `plain_csv.TEXT`."""
        codes = np.asarray(texts.indices)
        values = self._all_at_once(texts.dictionary)
        faults: dict[int, str] = {}
        if values is None:
            values, faults = self._one_by_one(texts.dictionary.to_pylist())
        bad = np.isin(codes, list(faults)) if faults else None
        mended = self.mended(texts.dictionary.to_pylist(), codes) if self._judged.mended else {}
        return CheckedColumn(codes=codes, values=values, faults=faults, bad=bad, mended=mended)

    def mended(self, texts: list[str], codes: npt.NDArray[np.int32]) -> dict[str, int]:
        """How many records' texts were mended, by what was. texts: the distinct ones, which were checked before"""
        times = np.bincount(codes, minlength=len(texts)).tolist()
        counts: Counter[str] = Counter()
        for text, records in zip(texts, times, strict=True):
            for how in self._judged.mended.get(text, ()):
                counts[how] += records
        return dict(counts)

    def array(self, checked: CheckedColumn, mask: npt.NDArray[np.bool_] | None) -> Any:
        """The column for the model; mask: the records it scores (None: all)."""
        codes = checked.codes if mask is None else checked.codes[mask]
        values = checked.values[codes] if len(checked.values) else checked.values
        if self._column.type == "category":
            return pa.DictionaryArray.from_arrays(
                pa.array(values), pa.array(list(self._column.values), pa.string())
            )
        return pa.array(values)

    def _all_at_once(self, texts: Any) -> Any:
        """Values where every text is a plain number within the bounds; None where one may not be."""
        form = PLAIN_NUMBER.get(self._column.type)
        if form is None or len(texts) < MANY or not pc.all(pc.match_substring_regex(texts, form)).as_py():
            return None
        kind = pa.int64() if self._column.type == "integer" else pa.float64()
        numbers = np.asarray(pc.cast(texts, kind))
        low, high = self._column.minimum, self._column.maximum
        if (low is not None and numbers.min() < low) or (high is not None and numbers.max() > high):
            return None
        return numbers.astype(self._type) + self._type.type(0)  # minus zero becomes zero

    def _one_by_one(self, texts: list[str]) -> tuple[Any, dict[int, str]]:
        judged = [self._judged[text] for text in texts]
        faults = {at: value.message for at, value in enumerate(judged) if isinstance(value, Fault)}
        category = self._column.type == "category"
        values = [
            0 if at in faults else self._places[value] if category else value
            for at, value in enumerate(judged)
        ]
        return np.array(values, dtype=self._type), faults


def _numpy_type(column: Column) -> np.dtype[Any]:
    """The smallest type that holds every value the contract allows: a row's bytes are the endpoint's load."""
    if column.type == "number":
        return np.dtype(np.float64)
    if column.type == "category":
        return np.dtype(np.int8 if len(column.values) <= 127 else np.int16)
    if column.minimum is None or column.maximum is None:
        return np.dtype(np.int64)
    wide = (np.int8, np.int16, np.int32, np.int64)
    return np.dtype(
        next(t for t in wide if np.iinfo(t).min <= column.minimum and column.maximum <= np.iinfo(t).max)
    )
