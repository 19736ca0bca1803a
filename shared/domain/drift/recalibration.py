"""Recalibration: by what line, in log-odds, a model's probabilities become those that came true.

log-odds that came = shift + slope * log-odds that the model says; a model that is right has shift 0 and slope 1.

source: D. R. Cox, Two further applications of a model for binary regression, Biometrika 45, 1958
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.domain.drift.score_places import Floats, ScorePlaces, probability_of

RIGHT = np.array([0.0, 1.0])
"""Shift and slope of a model that is right: what is believed before anything is known, within"""
SPREAD = np.array([1.5, 0.5])
"""these standard deviations. Over 26 real months the rate of positives moved by up to 2.6 log-odds against what had been
expected. With few rows they say: it may be right, and it may not; and the interval is as wide."""
STEPS = 50
LEAST_STEP = 1e-9


@dataclass(frozen=True, kw_only=True)
class Recalibration:
    """The line, and how sure it is."""

    line: Floats
    """Shift and slope."""
    covariance: Floats
    """Of the two; the inverse of the curvature there (Laplace's approximation)."""

    def draws(self, count: int) -> Floats:
        """Lines that it may be as well, one a row; the same ones each time."""
        chance = np.random.default_rng(20080501)
        found: Floats = self.line + chance.standard_normal((count, 2)) @ np.linalg.cholesky(self.covariance).T
        return found


def recalibration(seen: ScorePlaces) -> Recalibration:
    """The most probable line after these rows; Newton's method. seen: rows whose answers are known, the positive
    ones marked"""
    x = np.column_stack([np.ones_like(seen.odds), seen.odds])
    rows, positives = seen.rows.astype(np.float64), seen.marked.astype(np.float64)
    known = np.diag(1 / SPREAD**2)
    line = RIGHT.copy()
    curvature = known
    for _ in range(STEPS):
        p = probability_of(x @ line)
        slope = x.T @ (positives - rows * p) - known @ (line - RIGHT)
        curvature = (x * (rows * p * (1 - p))[:, None]).T @ x + known
        step = np.linalg.solve(curvature, slope)
        line = line + step * min(1.0, 2.0 / max(float(np.abs(step).max()), LEAST_STEP))
        if np.abs(step).max() < LEAST_STEP:
            break
    return Recalibration(line=line, covariance=np.asarray(np.linalg.inv(curvature), dtype=np.float64))
