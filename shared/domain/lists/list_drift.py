"""Drift of a list of clients: how far each feature, and the scores, are from what a model learned.

The population stability index of two samples of n and m rows over B groups, if both were drawn from the same rows, is about
(1/n + 1/m) times a chi-square variable with B - 1 degrees of freedom: small lists are far from anything by chance alone.
A column has moved when its index is above what chance explains, and above what matters.
source: B. Yurdakul and J. Naranjo, Statistical properties of the population stability index, 2020; N. Siddiqi, Credit Risk
Scorecards, 2006, ch. 9
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MATTERS = 0.1
"""An index below it is little, whatever chance says."""
NORMAL_QUANTILE = 3.09
"""Of 0.999: one in a thousand columns that did not move is said to have."""
HELD_OUT_TENTHS = "held_out_tenths"
"""Under it model.json says how many held-out rows are in each tenth of the scores: equal ones are in one, for which others
stay empty. Older models do not say it, and are taken to have as many in each."""
MOST_KEPT = 40
"""Columns in a record, the furthest: 25 records share a row of storage, which may have a MiB."""
DIGITS = 4
"""Of a figure in a record, after the point."""
ADDED_ROWS = 0.5
"""In each group, to both sides (Jeffreys' prior): an empty group of a small list says little, and not that it is infinitely
far away."""


def list_drift(columns: Iterable[Mapping[str, Any]], learned: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each feature's index, its limit, whether it has moved, and the share of rows in groups never learned; the furthest
    first. columns: as `column_tally.ColumnTally` counts them"""
    known = {column["name"]: column for column in learned.get("columns", ())}
    found = [_column(column, known[column["name"]], learned["rows"]) for column in columns]
    return sorted(found, key=lambda one: (-one["psi"], one["column"]))


def kept(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As much of it as a record keeps. found: as `list_drift` says it"""
    return [
        {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in one.items()}
        for one in found[:MOST_KEPT]
    ]


def score_drift(deciles: Sequence[int], documents: Mapping[str, Any]) -> dict[str, Any] | None:
    """The same of the scores, held against those of the rows that were held out.

    deciles: rows in each tenth; None without rows, or where a message says that there are less than none
    documents: of the model's folder
    """
    rows, groups = sum(deciles), len(deciles)
    if rows <= 0 or min(deciles) < 0:
        return None
    judged_on = documents.get("evaluation", {}).get("rows", 0)
    before = documents.get("model", {}).get(HELD_OUT_TENTHS) or [judged_on / groups] * groups
    held_out = sum(before)
    pairs = zip(deciles, before if held_out else [1] * groups, strict=True)
    there = [(now, then) for now, then in pairs if now or then]
    psi = index(_smoothed([then for _, then in there]), _smoothed([now for now, _ in there]))
    limit = max(MATTERS, chance(len(there), 1 / rows + (1 / held_out if held_out else 0)))
    return {"psi": psi, "limit": limit, "moved": psi > limit}


def _column(seen: Mapping[str, Any], learned: Mapping[str, Any], learned_rows: int) -> dict[str, Any]:
    rows = sum(seen["counts"])
    if not rows:
        return {"column": seen["name"], "psi": 0.0, "limit": MATTERS, "moved": False, "new_share": 0.0}
    pairs = list(zip(seen["counts"], learned["shares"], strict=True))
    there = [(count, share) for count, share in pairs if count or share]
    psi = index(
        _smoothed([share * learned_rows for _, share in there]), _smoothed([count for count, _ in there])
    )
    limit = max(MATTERS, chance(len(there), 1 / rows + 1 / learned_rows))
    new = sum(count for count, share in pairs if not share) / rows
    return {"column": seen["name"], "psi": psi, "limit": limit, "moved": psi > limit, "new_share": new}


def index(expected: Sequence[float], actual: Sequence[float]) -> float:
    """The population stability index of shares of the same groups, none of them 0."""
    parts = ((now - before) * math.log(now / before) for before, now in zip(expected, actual, strict=True))
    return math.fsum(parts)  # `sum` of Python 3.12 rounds otherwise than that of 3.11


def _smoothed(counts: Sequence[float]) -> list[float]:
    """Shares of which none is 0."""
    rows = sum(counts) + ADDED_ROWS * len(counts)
    return [(count + ADDED_ROWS) / rows for count in counts]


def chance(groups: int, variance: float) -> float:
    """What the index of so many groups stays below, but once in a thousand times, if nothing moved.

    variance: 1/n + 1/m; source of the quantile: E. Wilson and M. Hilferty, The distribution of chi-square, PNAS 1931
    """
    degrees = max(groups - 1, 1)
    spread = 2 / (9 * degrees)
    return variance * degrees * (1 - spread + NORMAL_QUANTILE * math.sqrt(spread)) ** 3
