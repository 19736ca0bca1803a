"""Explanations: which columns move a client's log-odds, and how far, away from what the model expects of anyone.

Of trees by TreeSHAP (exact, path-dependent), which LightGBM computes itself; of a logistic regression by each term less
its mean over the training rows. They are averaged as the members' log-odds are, and a member that is clipped has its
own made smaller in proportion, so that a row's contributions and what is expected add up to its log-odds.

source: Lundberg and others, From local explanations to global understanding with explainable AI for trees, Nature
Machine Intelligence 2, 2020
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from serving.features import Floats
from serving.model import Model

MOST_ROWS = 500
"""Rows that importance is measured on: a mean over more is another one by a few hundredths, and each costs a
millisecond."""


class Reasons(NamedTuple):
    """The columns that moved each row most, the first the most."""

    columns: tuple[str, ...]
    """Of the model, all of them."""
    places: npt.NDArray[np.intp]
    """By row and rank: which of the columns."""
    contributions: Floats
    """By row and rank: in log-odds, above 0 towards the positive answer; 0 for a column that had no part in it."""
    expected: float
    """The log-odds of a row of which nothing is known."""

    def of(self, row: int) -> list[dict[str, Any]]:
        found = zip(self.places[row].tolist(), self.contributions[row].tolist(), strict=True)
        return [{"column": self.columns[at], "contribution": by} for at, by in found if by]


def reasons(model: Model, matrix: Floats, most: int) -> Reasons:
    """most: how many of each row. raises: MixedList"""
    said, expected = model.variants[model.variant_of(matrix)].contributions(matrix)
    places = np.argsort(-np.abs(said), axis=1, kind="stable")[:, :most]
    return Reasons(
        columns=tuple(feature.name for feature in model.inputs),
        places=places,
        contributions=np.take_along_axis(said, places, axis=1),
        expected=expected,
    )


def importance(model: Model, matrix: Floats) -> list[dict[str, Any]]:
    """Of the columns that the rows' variant reads: the mean distance by which each moves log-odds, largest first.

    matrix: held-out rows, as `Model.encode` makes it; of many, some that lie evenly among them are looked at
    raises: MixedList
    """
    variant = model.variant_of(matrix)
    some = np.unique(np.linspace(0, len(matrix) - 1, min(MOST_ROWS, len(matrix))).astype(np.intp))
    said, _ = model.variants[variant].contributions(matrix[some])
    means = dict(
        zip((feature.name for feature in model.inputs), np.abs(said).mean(axis=0).tolist(), strict=True)
    )
    ranked = sorted(model.reads(variant), key=lambda name: -means[name])
    return [{"column": name, "value": means[name]} for name in ranked]
