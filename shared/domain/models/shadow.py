"""The shadow comparison: two models' answers to the same rows, in pairs, without any traffic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.domain.policy import Policy

BINS = 10
MOST_COLUMNS = 5
"""Columns that are named as what the change goes with."""

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def compared(
    *, old: Floats, new: Floats, old_calls: Bools, new_calls: Bools, columns: Mapping[str, npt.NDArray[Any]]
) -> dict[str, Any]:
    """The figures of `kinds.release.ShadowComparison` that come from the answers.

    old, new: both models' probabilities for the same rows; NaN where the new one could not say, whose decision differs
    old_calls, new_calls: whether each would have the client called
    columns: by feature the rows' values, as numbers or as places among categories
    """
    answered = np.isfinite(new)
    differing = (old_calls != new_calls) | ~answered
    change = (new - old)[answered]
    size = np.abs(change)
    return {
        "rows": len(old),
        "decisions_differing": _rounded(differing.mean()),
        "newly_called": _rounded((new_calls & ~old_calls & answered).mean()),
        "mean_difference": _rounded(change.mean() if len(change) else 0.0),
        "mean_absolute_difference": _rounded(size.mean() if len(size) else 0.0),
        "p95_absolute_difference": _rounded(np.quantile(size, 0.95) if len(size) else 0.0),
        "psi": _rounded(psi(old, new[answered])),
        "columns": _influences(change, {name: values[answered] for name, values in columns.items()}),
    }


def beyond(figures: Mapping[str, Any], policy: Policy) -> str:
    """Which limit the figures break, in a sentence; empty when none."""
    share, moved = figures["decisions_differing"], figures["psi"]
    if share > policy.release_shadow_decisions:
        return (
            f"{share:.1%} of {figures['rows']:,} decisions differ from those of model {figures['champion']},"
            f" more than {policy.release_shadow_decisions:.0%}"
        )
    if moved > policy.release_shadow_psi:
        return (
            f"its scores of {figures['rows']:,} rows lie elsewhere than those of model {figures['champion']}:"
            f" PSI {moved:.2f}, more than {policy.release_shadow_psi:.2f}"
        )
    return ""


def psi(old: Floats, new: Floats) -> float:
    """Population stability index of two samples over tenths of the first; half a row stands in for an empty bin.

    source: Siddiqi, Credit Risk Scorecards, 2006, ch. 7
    """
    if not len(old) or not len(new):
        return 0.0
    edges = np.unique(np.quantile(old, np.linspace(0, 1, BINS + 1)[1:-1]))
    shares = [
        np.maximum(np.bincount(np.searchsorted(edges, each, side="left"), minlength=len(edges) + 1), 0.5)
        / len(each)
        for each in (old, new)
    ]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def _influences(change: Floats, columns: Mapping[str, npt.NDArray[Any]]) -> list[dict[str, Any]]:
    shares = {name: _rounded(_explained(change, values)) for name, values in columns.items()}
    most = sorted((name for name in shares if shares[name] > 0), key=lambda name: -shares[name])
    return [{"column": name, "share": shares[name]} for name in most[:MOST_COLUMNS]]


def _explained(change: Floats, values: npt.NDArray[Any]) -> float:
    """Share of the change's variance between groups of equal values, or of tenths of them where they are many.

    source: the correlation ratio, Fisher, Statistical Methods for Research Workers, 1925
    """
    whole = ((change - change.mean()) ** 2).sum() if len(change) else 0.0
    if whole <= 0:
        return 0.0
    _, group = np.unique(values, return_inverse=True)
    if group.max() >= BINS and np.issubdtype(values.dtype, np.floating):
        edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
        group = np.searchsorted(edges, values, side="left")
    count = np.bincount(group)
    sums = np.bincount(group, weights=change)
    means = sums / np.maximum(count, 1)
    return float((count * (means - change.mean()) ** 2).sum() / whole)


def _rounded(value: Any) -> float:
    return round(float(value), 6)
