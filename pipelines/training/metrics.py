"""Metrics: AUC, average precision, log loss, profit, and the paired bootstrap interval of a difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
SMALLEST = 1e-15
"""A probability of exactly 0 or 1 that turns out wrong would cost infinitely much."""


def auc(answers: Floats, probabilities: Floats) -> float | None:
    """The chance that a positive is ranked before a negative, ties half; None when there are not both."""
    positives = float(answers.sum())
    negatives = len(answers) - positives
    if not positives or not negatives:
        return None
    _, group, counts = np.unique(probabilities, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[group]
    return float((ranks[answers == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(answers: Floats, probabilities: Floats) -> float | None:
    """Precision at each distinct probability, weighted by the recall it adds; None without a positive."""
    if not answers.sum():
        return None
    order = np.argsort(-probabilities, kind="stable")
    hits = np.cumsum(answers[order])
    ends = np.append(np.flatnonzero(np.diff(probabilities[order])), len(order) - 1)
    precision = hits[ends] / (ends + 1)
    return float((np.diff(hits[ends], prepend=0) * precision).sum() / hits[-1])


def losses(answers: Floats, probabilities: Floats) -> Floats:
    """Each row's negative log-likelihood."""
    sure = np.clip(probabilities, SMALLEST, 1 - SMALLEST)
    each: Floats = -np.where(answers == 1, np.log(sure), np.log1p(-sure))
    return each


def log_loss(answers: Floats, probabilities: Floats) -> float:
    return float(losses(answers, probabilities).mean())


def profit(
    answers: Floats, called: npt.NDArray[np.bool_], *, call_cost: float, deposit_value: float
) -> float:
    """What calling exactly those would have brought."""
    return float(answers[called].sum() * deposit_value - called.sum() * call_cost)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A mean difference of paired losses, with its 95 % interval."""

    mean: float
    low: float
    high: float
    probability_better: float
    """The share of resamples in which the first has the smaller loss."""
    resamples: int


LEAST_GROUPS = 8
"""Lists in the rows from which on whole lists are drawn; of fewer, drawing says nothing, and rows are drawn."""


def paired_bootstrap(
    first: Floats,
    second: Floats,
    lists: npt.NDArray[np.int64] | None = None,
    *,
    resamples: int = 1000,
    seed: int = 20080501,
) -> Difference:
    """Rows are drawn with both losses together, so what is hard for both cancels out.

    lists: of each row the list it stands on; whole lists are drawn, since the rows of one are alike
    source: Efron & Tibshirani, An Introduction to the Bootstrap, ch. 16; for lists, ch. 8.5 (cluster bootstrap)
    """
    difference = first - second
    chance = np.random.default_rng(seed)
    groups = np.arange(len(difference)) if lists is None else np.unique(lists, return_inverse=True)[1]
    if groups.max(initial=-1) + 1 < LEAST_GROUPS:
        groups = np.arange(len(difference))
    sums, counts = np.bincount(groups, difference), np.bincount(groups)
    drawn = (chance.integers(0, len(sums), len(sums)) for _ in range(resamples))
    means = np.array([sums[each].sum() / counts[each].sum() for each in drawn])
    low, high = np.quantile(means, [0.025, 0.975])
    return Difference(
        mean=float(difference.mean()),
        low=float(low),
        high=float(high),
        probability_better=float((means < 0).mean()),
        resamples=resamples,
    )


BINS = 10
"""Of equally many rows each."""


def calibration_error(answers: Floats, probabilities: Floats) -> float:
    """Expected calibration error: how far the share of positives is from what was said, the mean over tenths of rows.

    source: M. P. Naeini, G. F. Cooper, M. Hauskrecht, Obtaining well calibrated probabilities, AAAI 2015
    """
    order = np.argsort(probabilities, kind="stable")
    gaps = answers[order] - probabilities[order]
    tenths = np.array_split(gaps, min(BINS, len(gaps)))
    return float(sum(abs(each.sum()) for each in tenths) / len(gaps))


def calibration_error_by_chance(probabilities: Floats, *, draws: int = 200, seed: int = 20080501) -> float:
    """What the calibration error of right probabilities stays below 99 times in 100, with so many rows."""
    chance = np.random.default_rng(seed)
    errors = [
        calibration_error(
            (chance.random(len(probabilities)) < probabilities).astype(np.float64), probabilities
        )
        for _ in range(draws)
    ]
    return float(np.quantile(errors, 0.99))
