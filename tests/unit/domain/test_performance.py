"""Expected and realised figures: held against what they are estimates of, computed the long way."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from pipelines.training.metrics import auc, log_loss
from shared.domain.outcomes.expectation import Expectation
from shared.domain.outcomes.performance import Known, Performance
from shared.domain.outcomes.score_histogram import ScoreHistogram

COSTS = {"call_cost": 10.0, "deposit_value": 80.0}


def scores(rows: int, seed: int = 1) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = np.round(np.random.default_rng(seed).beta(0.6, 4, rows), 6)
    return found


def performance(p: npt.NDArray[np.float64], y: npt.NDArray[np.bool_], pieces: int = 1) -> Performance:
    found = Performance(**COSTS)
    deciles = np.minimum(10, 1 + (p * 10).astype(int)).astype(np.int8)
    known = Known(probability=p, decile=deciles, deposit=y, called=np.ones(len(p), dtype=np.bool_))
    for part in np.array_split(np.arange(len(p)), pieces):
        found.add(known.where(np.isin(np.arange(len(p)), part)))
    return found


@pytest.mark.parametrize("pieces", [1, 7])
def test_realised_figures_are_those_of_the_rows(pieces: int) -> None:
    p = scores(3000)
    y = np.random.default_rng(2).random(3000) < p
    figures = performance(p, y, pieces).realised()
    assert figures["auc"] == pytest.approx(auc(y.astype(float), p), abs=1e-4)
    assert figures["log_loss"] == pytest.approx(log_loss(y.astype(float), p), abs=1e-6)
    assert figures["money"] == y.sum() * 80 - 3000 * 10


def test_the_expected_figures_are_the_means_of_what_may_come() -> None:
    """Outcomes drawn many times over from the probabilities: their mean AUC, loss, deposits and money are expected."""
    p, rng = scores(300), np.random.default_rng(3)
    expectation = Expectation(**COSTS)
    expectation.add(p[:100])
    expectation.add(p[100:])
    figures = expectation.figures()
    drawn = [rng.random(300) < p for _ in range(4000)]
    worth = p * 80 > 10
    assert figures["deposits"] == pytest.approx(p.sum(), abs=0.01)
    assert figures["log_loss"] == pytest.approx(
        np.mean([log_loss(y.astype(float), p) for y in drawn]), abs=3e-3
    )
    assert figures["auc"] == pytest.approx(np.mean([auc(y.astype(float), p) for y in drawn]), abs=3e-3)
    assert figures["calls"] == worth.sum()
    assert figures["money"] == pytest.approx(
        np.mean([y[worth].sum() * 80 for y in drawn]) - worth.sum() * 10, rel=0.02
    )
    inside = [figures["deposits_low"] <= y.sum() <= figures["deposits_high"] for y in drawn]
    assert 0.92 < np.mean(inside) < 0.98


def test_right_probabilities_are_calibrated_and_wrong_ones_are_not() -> None:
    p = scores(20_000)
    y = np.random.default_rng(4).random(len(p)) < p
    right, wrong = performance(p, y), performance(np.sqrt(p), y)
    assert (right.calibration_error() or 0) < 0.01
    assert (wrong.calibration_error() or 0) > 0.1
    assert sum(one["deposits"] for one in right.deciles()) == y.sum()
    assert right.expected()["deposits"] == pytest.approx(y.sum(), rel=0.05)


def test_what_there_is_none_of_has_no_figure() -> None:
    nothing = performance(np.empty(0), np.empty(0, dtype=np.bool_))
    assert nothing.realised() == {
        "rows": 0,
        "deposits": 0,
        "auc": None,
        "log_loss": None,
        "calls": 0,
        "money": 0,
    }
    assert nothing.calibration_error() is None
    alike = performance(scores(10), np.zeros(10, dtype=np.bool_))
    assert alike.realised()["auc"] is None


def test_certain_probabilities_cost_no_infinite_loss() -> None:
    figures = performance(np.array([0.0, 1.0]), np.array([True, False])).realised()
    assert np.isfinite(figures["log_loss"])
    expectation = Expectation(**COSTS)
    expectation.add(np.array([0.0, 1.0]))
    assert expectation.figures()["auc"] == 1


def test_two_close_probabilities_are_ranked() -> None:
    ranked = ScoreHistogram()
    ranked.add(np.array([0.001, 0.0011]), [0, 1])
    assert ranked.auc() == 1


def test_a_row_is_not_ranked_against_itself() -> None:
    """Of two rows: the second is the deposit and the first is not (0.6 x 0.7), or the other way round (0.3 x 0.4)."""
    expectation = Expectation(**COSTS)
    expectation.add(np.array([0.3, 0.6]))
    assert expectation.figures()["auc"] == pytest.approx(0.42 / (0.42 + 0.12), abs=1e-6)
