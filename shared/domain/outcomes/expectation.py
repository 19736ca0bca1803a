"""What a batch is expected to bring, before anybody has called: from its own calibrated probabilities.

If of the clients with probability p the share p buys, then the sum of the probabilities is the expected number of
deposits, and AUC, log loss and money have expected values too. Where the probabilities are wrong, so is this: `reconciled`
with what came (`shared.domain.outcomes.performance`), it says by how much.

source: confidence-based performance estimation (CBPE), NannyML documentation, "Estimation of performance of the monitored
model"; Guillory et al., Predicting with confidence on unseen distributions, ICCV 2021. The interval is that of a sum of
independent draws of unequal probability (Poisson binomial), by its normal approximation.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.domain.outcomes.score_histogram import ScoreHistogram

Floats = npt.NDArray[np.float64]
SMALLEST = 1e-15
"""The logarithm of 0 is not asked for."""
WIDE = 1.959964
"""Standard deviations either way that hold 95 %."""


class Expectation:
    """Added up over the rows of a batch, some at a time."""

    def __init__(self, *, call_cost: float, deposit_value: float) -> None:
        self._cost, self._value = call_cost, deposit_value
        self._ranked = ScoreHistogram()
        self._rows = self._calls = 0
        self._deposits = self._variance = self._loss = self._money = 0.0

    def add(self, probability: Floats) -> None:
        """probability: of the rows that have one"""
        sure = np.clip(probability, SMALLEST, 1 - SMALLEST)
        worth = probability * self._value - self._cost
        self._ranked.add(probability, probability)
        self._rows += len(probability)
        self._deposits += float(probability.sum())
        self._variance += float((probability * (1 - probability)).sum())
        self._loss -= float((sure * np.log(sure) + (1 - sure) * np.log1p(-sure)).sum())
        self._calls += int((worth > 0).sum())
        self._money += float(worth[worth > 0].sum())

    def figures(self) -> dict[str, Any]:
        """The values of `kinds.batch.Expected`."""
        spread = WIDE * sqrt(self._variance)
        return {
            "rows": self._rows,
            "deposits": round(self._deposits, 2),
            "deposits_low": round(max(0.0, self._deposits - spread), 2),
            "deposits_high": round(min(float(self._rows), self._deposits + spread), 2),
            "auc": rounded(self._ranked.auc()),
            "log_loss": rounded(self._loss / self._rows if self._rows else None),
            "calls": self._calls,
            "money": round(self._money, 2),
        }


def rounded(value: float | None) -> float | None:
    """To the places that the sample could ever bear out."""
    return None if value is None else round(value, 6)
