"""What a policy's scores are worth: ranking (AUC, ALIFT), log loss, calibration, deposits reached, money."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from commands.backtest.history import Floats
from pipelines.training.metrics import auc, log_loss

DEPOSIT_VALUE = 80.0
CALL_COSTS = (10, 20)
LIST_SHARE = 0.3
"""Of each month's list, when only so many can be called."""
BINS = 10

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A month's answers and what a policy had said."""

    number: int
    answers: Floats
    probabilities: Floats | None


def of_month(scored: Scored) -> Json:
    """Without a model nobody is called, and there is no other figure."""
    answers, probabilities = scored.answers, scored.probabilities
    if probabilities is None:
        return {name: 0 for cost in CALL_COSTS for name in (f"calls{cost}", f"profit{cost}")}
    return {
        "auc": auc(answers, probabilities),
        "alift": alift(answers, probabilities),
        "logLoss": log_loss(answers, probabilities),
        "ece": expected_calibration_error(answers, probabilities),
        "reached": reached(answers, probabilities, LIST_SHARE),
        **money(answers, probabilities),
    }


def over(months: Sequence[Scored]) -> Json:
    """Means over the months with a model; sums of deposits and money over all of them.

    Calibration and the row-weighted log loss are of all their rows together.
    """
    spoken = [(month.answers, month.probabilities) for month in months if month.probabilities is not None]
    each = [of_month(month) for month in months]
    total: Json = {"months": len(months), "monthsWithModel": len(spoken)}
    for name in (f"{what}{cost}" for cost in CALL_COSTS for what in ("calls", "profit")):
        total[name] = sum(month[name] for month in each)
    if not spoken:
        return total
    answers, probabilities = (np.concatenate(parts) for parts in zip(*spoken, strict=True))
    return {
        **total,
        "auc": _mean(month.get("auc") for month in each),
        "alift": _mean(month.get("alift") for month in each),
        "logLoss": _mean(month.get("logLoss") for month in each),
        "logLossOfRows": log_loss(answers, probabilities),
        "ece": expected_calibration_error(answers, probabilities),
        "reached": sum(month.get("reached", 0.0) for month in each),
    }


def money(answers: Floats, probabilities: Floats) -> Json:
    """Calls and profit at each cost of a call: whoever is worth it is called."""
    found: Json = {}
    for cost in CALL_COSTS:
        called = probabilities * DEPOSIT_VALUE >= cost
        found[f"calls{cost}"] = int(called.sum())
        found[f"profit{cost}"] = float(answers[called].sum() * DEPOSIT_VALUE - called.sum() * cost)
    return found


def alift(answers: Floats, probabilities: Floats) -> float | None:
    """Area under the cumulative lift curve: deposits reached by share of the list called, the best first. By chance 0.5.

    source: S. Moro, P. Cortez, P. Rita, A data-driven approach to predict the success of bank telemarketing, Decision
    Support Systems 62 (2014) 22-31
    """
    if not answers.sum():
        return None
    called, found = _gains(answers, probabilities)
    return float(np.trapezoid(found / found[-1], called / called[-1]))


def reached(answers: Floats, probabilities: Floats, share: float) -> float:
    """Deposits among the best `share` of the list; of clients with one score that do not all fit in, as many as chance."""
    called, found = _gains(answers, probabilities)
    return float(np.interp(round(share * len(answers)), called, found))


def expected_calibration_error(answers: Floats, probabilities: Floats) -> float:
    """How far probability and frequency lie apart on the average, in ten groups of equally many rows (fraction of 1).

    source: M. P. Naeini, G. F. Cooper, M. Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, 2015
    """
    order = np.argsort(probabilities, kind="stable")
    groups = np.array_split(order, BINS)
    gaps = [abs(answers[group].sum() - probabilities[group].sum()) for group in groups]
    return float(sum(gaps) / len(answers))


def _gains(answers: Floats, probabilities: Floats) -> tuple[Floats, Floats]:
    """Calls made and deposits found at the end of each group of equal scores, the best first; both begin at 0."""
    _, group = np.unique(-probabilities, return_inverse=True)
    called = np.concatenate([[0.0], np.cumsum(np.bincount(group))])
    found = np.concatenate([[0.0], np.cumsum(np.bincount(group, weights=answers))])
    return called, found


def _mean(values: Iterable[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None
