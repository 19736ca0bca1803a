"""Figures against values worked out by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from pipelines.training.metrics import auc, average_precision, log_loss, paired_bootstrap, profit

ANSWERS = np.array([0.0, 0.0, 1.0, 1.0])
SAID = np.array([0.1, 0.4, 0.35, 0.8])


def test_auc_counts_pairs() -> None:
    assert auc(ANSWERS, SAID) == 0.75
    assert auc(ANSWERS, np.full(4, 0.5)) == 0.5
    assert auc(ANSWERS, ANSWERS) == 1.0
    assert auc(np.ones(3), SAID[:3]) is None


def test_average_precision_adds_precision_by_recall() -> None:
    assert average_precision(ANSWERS, SAID) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert average_precision(ANSWERS, np.full(4, 0.5)) == 0.5
    assert average_precision(np.zeros(3), SAID[:3]) is None


def test_log_loss_is_the_mean_surprise() -> None:
    assert log_loss(np.array([1.0, 0.0]), np.array([0.8, 0.4])) == pytest.approx(-(log(0.8) + log(0.6)) / 2)
    assert np.isfinite(log_loss(np.array([1.0]), np.array([0.0])))


def test_profit_is_deposits_less_calls() -> None:
    assert profit(ANSWERS, SAID >= 0.35, call_cost=10, deposit_value=80) == 2 * 80 - 3 * 10
    assert profit(ANSWERS, SAID > 1, call_cost=10, deposit_value=80) == 0


def test_the_interval_holds_the_mean_and_a_sure_gain_is_sure() -> None:
    worse = np.random.default_rng(3).uniform(0.2, 0.6, 500)
    found = paired_bootstrap(worse - 0.1, worse)
    assert found.mean == pytest.approx(-0.1)
    assert found.low <= found.mean + 1e-12
    assert found.mean <= found.high + 1e-12
    assert found.probability_better == 1.0
    assert found.resamples == 1000


def test_the_interval_is_as_wide_as_theory_says_and_repeats() -> None:
    noise = np.random.default_rng(4).normal(0, 1, 2000)
    found = paired_bootstrap(noise, np.zeros(2000))
    assert found.high - found.low == pytest.approx(2 * 1.96 * noise.std() / 2000**0.5, rel=0.1)
    assert found == paired_bootstrap(noise, np.zeros(2000))
