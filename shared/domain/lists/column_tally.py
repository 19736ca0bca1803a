"""A list's columns counted in the groups of a model's own profile, so that the two can be held against each other.

A model's profile (`profile.json` in its folder) says of each feature: `name`, `type`, `edges` between groups of numbers,
`shares` of the rows it learned from in each group (the last: no value), and of numbers what `number_range` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.domain.lists.list_check import ZERO, mirror, reach

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def number_range(values: Floats) -> dict[str, Any]:
    """Minimum and maximum, and how many rows have each order of magnitude.

    values: at least one; NaN for no value
    """
    distinct, rows = np.unique(values[~np.isnan(values)], return_counts=True)
    if not len(distinct):
        return {}
    return {
        "minimum": float(distinct[0]),
        "maximum": float(distinct[-1]),
        "orders": dict(sorted(_orders(distinct, rows).items())),
    }


def _orders(distinct: Floats, rows: Counts) -> Counter[str]:
    """By order of magnitude, floor(log10 |x|), the rows; those of nothing under `ZERO`."""
    there = distinct != 0
    orders = np.floor(np.log10(np.abs(distinct[there]))).astype(np.int64)
    counts = Counter({str(order): int(rows[there][orders == order].sum()) for order in np.unique(orders)})
    if not there.all():
        counts[ZERO] = int(rows[~there].sum())
    return counts


class ColumnTally:
    """One feature of a list, counted piece by piece, in the groups of the model's profile."""

    def __init__(self, learned: Mapping[str, Any], values: Sequence[str]) -> None:
        """learned: the feature's part of the profile; values: a category's, in the model's order, empty for a number"""
        self.name = learned["name"]
        self._edges = np.array(learned["edges"], dtype=np.float64)
        self._places = {value: place for place, value in enumerate(values)}
        self._counts = np.zeros(len(learned["shares"]), dtype=np.int64)
        self._low, self._high = np.inf, -np.inf
        self._orders: Counter[str] = Counter()
        ranged = learned.get("orders")
        self._reach = reach(learned) if ranged else (-np.inf, np.inf)
        self._mirror = (mirror(learned) if ranged else None) or (np.inf, -np.inf)
        self._far = self._mirrored = 0

    def add(self, column: Any) -> None:
        """column: an Arrow array without nulls, as the shards' readers make it"""
        if not len(column):
            return
        if self._places:
            rows = np.bincount(np.asarray(column.indices), minlength=len(column.dictionary))
            places = [self._places.get(value, -1) for value in column.dictionary.to_pylist()]
            np.add.at(self._counts, places, rows)
            return
        distinct, rows = np.unique(np.asarray(column), return_counts=True)
        distinct = distinct.astype(np.float64)
        np.add.at(self._counts, np.searchsorted(self._edges, distinct, side="right"), rows)
        self._low, self._high = min(self._low, distinct[0]), max(self._high, distinct[-1])
        self._orders += _orders(distinct, rows)
        self._far += int(rows.sum()) - _between(distinct, rows, self._reach)
        self._mirrored += _between(distinct, rows, self._mirror)

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"name": self.name, "counts": self._counts.tolist()}
        if self._orders:
            body |= {"minimum": float(self._low), "maximum": float(self._high)}
            body |= {"orders": dict(sorted(self._orders.items()))}
            body |= {"far": self._far, "mirrored": self._mirrored}
        return body


def _between(distinct: Floats, rows: Counts, ends: tuple[float, float]) -> int:
    return int(rows[(distinct >= ends[0]) & (distinct <= ends[1])].sum())
