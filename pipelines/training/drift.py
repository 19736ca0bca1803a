"""Data drift: each feature's population stability index against a profile of the rows a model learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from serving.features import Feature, Floats
from shared.domain.lists.column_tally import number_range

PROFILE = "profile.json"
LEAST_SHARE = 1e-4
"""What a share of nothing counts as, or one row in a new group would be infinitely far away."""


def profile(features: Sequence[Feature], matrix: Floats) -> dict[str, Any]:
    """Each feature's shares of the rows: of each category, of numbers between deciles; the last is of missing values.
    Of numbers their range too, which files to score are held against.

    matrix: at least one row, as `features.encode` makes it
    """
    columns = []
    for feature, values in zip(features, matrix.T, strict=True):
        edges = [] if feature.type == "category" else _edges(values)
        shares = _shares(feature, values, edges).tolist()
        ranged = {} if feature.type == "category" else number_range(values)
        columns.append(
            {"name": feature.name, "type": feature.type, "edges": edges, "shares": shares, **ranged}
        )
    return {"rows": len(matrix), "columns": columns}


def drift(known: dict[str, Any], features: Sequence[Feature], matrix: Floats) -> list[dict[str, Any]]:
    """Population stability index of each feature, the largest first; 0 when the shares are what they were.

    known: a profile of these features, and maybe of other columns. The usual reading: below 0.1 little, above 0.25 much.
    source: N. Siddiqi, Credit Risk Scorecards, 2006, ch. 9
    """
    columns = {column["name"]: column for column in known["columns"]}
    found = [
        {
            "column": feature.name,
            "psi": _index(
                np.array(columns[feature.name]["shares"]),
                _shares(feature, values, columns[feature.name]["edges"]),
            ),
        }
        for feature, values in zip(features, matrix.T, strict=True)
    ]
    return sorted(found, key=lambda one: (-one["psi"], one["column"]))


def _edges(values: Floats) -> list[float]:
    """The deciles. A value that is several of them is a group of its own, and ends at the next number: else a column that
    is 0 for nearly everybody would have one group for all that is not below 0, and no move could be seen."""
    there = values[~np.isnan(values)]
    if not len(there):
        return []
    deciles, times = np.unique(np.quantile(there, np.arange(1, 10) / 10), return_counts=True)
    found: list[float] = np.union1d(deciles, np.nextafter(deciles[times > 1], np.inf)).tolist()
    return found


def _shares(feature: Feature, values: Floats, edges: Sequence[float]) -> Floats:
    groups = len(feature.values) if feature.type == "category" else len(edges) + 1
    places = values if feature.type == "category" else np.searchsorted(edges, values, side="right")
    places = np.where(np.isnan(values), groups, places).astype(np.int64)
    shares: Floats = np.bincount(places, minlength=groups + 1) / len(values)
    return shares


def _index(expected: Floats, actual: Floats) -> float:
    before, now = np.maximum(expected, LEAST_SHARE), np.maximum(actual, LEAST_SHARE)
    return float(((now - before) * np.log(now / before)).sum())
