"""What it costs, in money, that a model no longer says what comes true.

A client is called where the probability times the worth of a deposit is more than the call costs. A model whose
probabilities drifted calls clients who are not worth it, and passes over others who are. What came of the rows that it has
not learned from says by how much it is off (`recalibration`); the loss on a list is what the decisions by the mended
probabilities bring, less what the model's own bring, both at the mended probabilities, for these very scores. It is what
mending the level would regain: a lower bound of what a retrain is worth, which may rank better too.

source: B. Van Calster and A. J. Vickers, Calibration of risk prediction models: impact on decision-analytic performance,
Medical Decision Making 35, 2015 (what miscalibration costs); J. Bialek, W. Kuberski, N. Perrakis and A. Bifet, Estimating
model performance under covariate shift without labels, arXiv 2401.08348 (a list is judged by its probabilities, mended)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from shared.domain.drift.recalibration import Recalibration, recalibration
from shared.domain.drift.score_places import Floats, ScorePlaces, probability_of

DRAWS = 1000
MONTHS_DIFFER = 0.5
"""Log-odds, a standard deviation: by how much the next list's level may differ from that of the rows that are known, as
those of one month are alike. Over 16 real months a refitted model's error of level moved by 0.34 in the median from one to
the next, by 0.57 in the root of the mean square."""
LEAST_ROWS = 100
LEAST_OF_EACH = 10
"""Answers of either kind: with fewer a line through them says little, and nothing is said."""


@dataclass(frozen=True, kw_only=True)
class Money:
    """What a decision is worth, in one currency."""

    call_cost: float
    deposit_value: float

    def of_calls(self, probability: Floats) -> Floats:
        """What calling each is expected to bring, less what it costs."""
        return probability * self.deposit_value - self.call_cost


@dataclass(frozen=True, kw_only=True)
class Loss:
    """On one list, with its 95 % interval, which knows that it may be another month's. An end below 0: maybe none."""

    loss: float
    low: float
    high: float
    probability: float
    """That there is one at all."""


def too_little(seen: ScorePlaces) -> str:
    """Why what came says nothing of the model yet; empty when it does.

    seen: rows that it has not learned from, the positive ones marked
    """
    rows, positives = int(seen.rows.sum()), int(seen.marked.sum())
    if rows >= LEAST_ROWS and LEAST_OF_EACH <= positives <= rows - LEAST_OF_EACH:
        return ""
    return (
        f"of clients that the model has not learned from, {rows} answers are known, {positives} of them positive:"
        f" it takes {LEAST_ROWS}, and {LEAST_OF_EACH} of either kind"
    )


def expected_loss(asked: ScorePlaces, seen: ScorePlaces, money: Money) -> Loss:
    """On the clients asked about.

    asked: those whom the model would have called marked
    seen: the rows that say how far off the model is, enough of them (`too_little`), the positive ones marked
    """
    line = recalibration(seen)
    unlike = replace(line, covariance=line.covariance + np.diag([MONTHS_DIFFER**2, 0.0]))
    saved = _saved(asked, line, line.line[None, :], money)[0]
    drawn = _saved(asked, line, unlike.draws(DRAWS), money)
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    return Loss(
        loss=round(float(saved), 2),
        low=round(low, 2),
        high=round(high, 2),
        probability=round(float((drawn > 0).mean()), 3),
    )


def _saved(asked: ScorePlaces, line: Recalibration, lines: Floats, money: Money) -> Floats:
    """What the decisions by `line` save over the model's own, were each of `lines` the truth."""
    better = money.of_calls(probability_of(_mended(line.line[None, :], asked.odds))[0]) > 0
    worth = money.of_calls(probability_of(_mended(lines, asked.odds)))
    found: Floats = worth @ (better * asked.rows - asked.marked)
    return found


def _mended(lines: Floats, odds: Floats) -> Floats:
    found: Floats = lines[:, :1] + lines[:, 1:] * odds
    return found
