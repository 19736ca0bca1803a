"""Learns how columns become numbers: which are numbers, which are categories, which say nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from localazure.workspace.automl.search.automl_model import Features, as_numbers, as_word
from localazure.workspace.automl.search.table import BadData

_MOST_CATEGORIES = 50
"""The most frequent ones of a column; rarer ones are none of them."""
_TOO_MANY = 0.5
"""A column of words of which more than this share are different is names or numbers of things: left out."""


def learn(columns: dict[str, np.ndarray], times: frozenset[str], *, featurize: bool) -> Features:
    """From training rows alone; columns that are the same everywhere are left out."""
    spec = [_learn(name, values, name in times, featurize=featurize) for name, values in columns.items()]
    useful = [one for one in spec if one is not None]
    if not useful:
        raise BadData("no column says anything: all are the same everywhere, or different everywhere")
    return Features(useful)


def _learn(name: str, values: np.ndarray, time: bool, *, featurize: bool) -> dict[str, Any] | None:
    if values.dtype.kind == "f":
        return _number(name, values, time=time)
    if not featurize:
        raise BadData(f"the column {name!r} is not of numbers; with featurization off all must be")
    words = [as_word(value) for value in values]
    known, counts = np.unique(words, return_counts=True)
    if len(known) < 2 or (len(known) > _MOST_CATEGORIES and len(known) > _TOO_MANY * len(words)):
        return None
    most = known[np.argsort(-counts, kind="stable")][:_MOST_CATEGORIES]
    return {"name": name, "kind": "category", "values": sorted(str(one) for one in most)}


def _number(name: str, values: np.ndarray, *, time: bool) -> dict[str, Any] | None:
    numbers = as_numbers(values)
    there = numbers[~np.isnan(numbers)]
    if len(there) == 0 or (np.ptp(there) == 0 and len(there) == len(numbers)):
        return None
    deviation = float(there.std())
    return {
        "name": name,
        "kind": "time" if time else "number",
        "mean": float(there.mean()),
        "deviation": deviation if deviation > 0 else 1.0,
        "missing": bool(len(there) < len(numbers)),
    }
