"""How a model did on the rows whose outcome is known: ranking, loss, calibration and money, beside what was expected.

All figures are sums over rows, so that a batch of any size is gone through once, in pieces. Of money only calls count: what
a call costs, and what the deposits of called clients are worth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.domain.outcomes.expectation import SMALLEST, rounded
from shared.domain.outcomes.score_histogram import ScoreHistogram

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
DECILES = 10


@dataclass(frozen=True, kw_only=True)
class Known:
    """Rows whose outcome is known, and that have a score."""

    probability: Floats
    decile: npt.NDArray[np.int8]
    """1 to 10."""
    deposit: Mask
    called: Mask

    def where(self, which: Mask) -> Known:
        return Known(
            probability=self.probability[which],
            decile=self.decile[which],
            deposit=self.deposit[which],
            called=self.called[which],
        )


@dataclass(kw_only=True)
class Performance:
    """The sums, by decile of the scores at training."""

    call_cost: float
    deposit_value: float
    _ranked: ScoreHistogram = field(default_factory=ScoreHistogram)
    _expected: ScoreHistogram = field(default_factory=ScoreHistogram)
    _sums: Floats = field(default_factory=lambda: np.zeros((6, DECILES)))
    """Rows, expected deposits, deposits, calls, expected deposits of the called, deposits of the called."""
    _loss: float = 0.0
    _entropy: float = 0.0

    def add(self, some: Known) -> None:
        p, y = some.probability, some.deposit.astype(np.float64)
        sure = np.clip(p, SMALLEST, 1 - SMALLEST)
        self._ranked.add(p, y)
        self._expected.add(p, p)
        self._loss -= float(np.where(some.deposit, np.log(sure), np.log1p(-sure)).sum())
        self._entropy -= float((sure * np.log(sure) + (1 - sure) * np.log1p(-sure)).sum())
        of_each = (np.ones(len(p)), p, y, some.called, p * some.called, y * some.called)
        tenth = some.decile.astype(np.int64) - 1
        for at, weights in enumerate(of_each):
            self._sums[at] += np.bincount(tenth, weights=weights, minlength=DECILES)

    @property
    def rows(self) -> int:
        return int(self._sums[0].sum())

    def expected(self) -> dict[str, Any]:
        """What was expected of these very rows: the values of `kinds.batch.Figures`."""
        deposits, of_called = self._sums[1].sum(), self._sums[4].sum()
        return self._figures(self._expected, self._entropy, deposits, of_called)

    def realised(self) -> dict[str, Any]:
        """What came of them, alike."""
        return self._figures(self._ranked, self._loss, self._sums[2].sum(), self._sums[5].sum())

    def calibration_error(self) -> float | None:
        """Expected calibration error (ECE): how far, in the mean, each decile's rate is from its mean probability.

        source: Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015
        """
        return rounded(float(np.abs(self._sums[1] - self._sums[2]).sum()) / self.rows if self.rows else None)

    def deciles(self) -> list[dict[str, Any]]:
        """The values of `kinds.batch.DecileOutcome`, of those deciles of which outcomes are known."""
        return [
            {
                "decile": at + 1,
                "rows": int(self._sums[0][at]),
                "expected_deposits": round(float(self._sums[1][at]), 2),
                "deposits": int(self._sums[2][at]),
                "calls": int(self._sums[3][at]),
                "expected_money": self._money(self._sums[4][at], self._sums[3][at]),
                "money": self._money(self._sums[5][at], self._sums[3][at]),
            }
            for at in range(DECILES)
            if self._sums[0][at]
        ]

    def _figures(
        self, ranked: ScoreHistogram, loss: float, deposits: float, of_called: float
    ) -> dict[str, Any]:
        calls = self._sums[3].sum()
        return {
            "rows": self.rows,
            "deposits": round(float(deposits), 2),
            "auc": rounded(ranked.auc()),
            "log_loss": rounded(loss / self.rows if self.rows else None),
            "calls": int(calls),
            "money": self._money(of_called, calls),
        }

    def _money(self, deposits: float, calls: float) -> float:
        return round(float(deposits * self.deposit_value - calls * self.call_cost), 2)
