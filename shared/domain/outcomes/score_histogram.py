"""A histogram over probabilities, fine enough to rank by and of one size for any number of rows.

Two probabilities that agree in their first 13 binary places (1 part in 8,192) share a place, and count as equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
DROPPED_BITS = 10
"""Of the 23 of a float32's fraction; a float32 of a probability, read as an integer, orders like the probability."""
PLACES = (0x3F80_0000 >> DROPPED_BITS) + 1
"""0x3F800000 is 1.0; 8 MB for each of the two columns."""


class ScoreHistogram:
    """How much weight of positives and of negatives lies at each probability."""

    def __init__(self) -> None:
        self._positive, self._negative = np.zeros(PLACES), np.zeros(PLACES)
        self._both = 0.0

    def add(self, probability: Floats, positive: Any) -> None:
        """positive: by row, how much of it is a positive: 0 or 1 where the answer is known, else a probability"""
        share = np.asarray(positive, dtype=np.float64)
        places = probability.astype(np.float32).view(np.uint32) >> DROPPED_BITS
        self._positive += np.bincount(places, weights=share, minlength=PLACES)
        self._negative += np.bincount(places, weights=1 - share, minlength=PLACES)
        self._both += float((share * (1 - share)).sum())

    def auc(self) -> float | None:
        """The chance that a positive is ranked before a negative, ties half; None when there are not both.

        A row of which both are possible is not ranked against itself.
        """
        below = np.cumsum(self._negative) - self._negative
        won = float((self._positive * (below + self._negative / 2)).sum()) - self._both / 2
        pairs = float(self._positive.sum() * self._negative.sum()) - self._both
        return min(1.0, max(0.0, won / pairs)) if pairs > 1e-9 else None
