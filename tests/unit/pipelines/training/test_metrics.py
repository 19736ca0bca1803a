"""Figures against values worked out by hand, and against their definitions written down slowly."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.training.metrics import auc, average_precision, log_loss, losses, paired_bootstrap, profit

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


# --- by their definitions -----------------------------------------------------------------------------------------

JUDGED = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5, 0.9, 1.0])), min_size=1, max_size=30
)
"""Answers, and probabilities of which many are the same."""


def split(judged: list[tuple[bool, float]]) -> tuple[Any, Any]:
    answers, probabilities = zip(*judged, strict=True)
    return np.array(answers, dtype=np.float64), np.array(probabilities)


@given(judged=JUDGED)
def test_auc_is_the_share_of_pairs_ranked_rightly(judged: list[tuple[bool, float]]) -> None:
    answers, said = split(judged)
    pairs = [(p > n) + (p == n) / 2 for p in said[answers == 1] for n in said[answers == 0]]
    assert auc(answers, said) == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)


@given(judged=JUDGED)
def test_auc_looks_at_the_order_alone_and_turns_with_it(judged: list[tuple[bool, float]]) -> None:
    answers, said = split(judged)
    found = auc(answers, said)
    assert auc(answers, said**3 / 7) == found
    if found is not None:
        assert auc(answers, -said) == pytest.approx(1 - found)
        assert auc(1 - answers, said) == pytest.approx(1 - found)


@given(judged=JUDGED)
def test_average_precision_is_precision_at_each_cut_by_the_recall_it_adds(
    judged: list[tuple[bool, float]],
) -> None:
    answers, said = split(judged)
    if not answers.sum():
        assert average_precision(answers, said) is None
        return
    total, before = 0.0, 0.0
    for cut in sorted(set(said.tolist()), reverse=True):
        called = said >= cut
        hits = answers[called].sum()
        total += (hits - before) / answers.sum() * hits / called.sum()
        before = hits
    assert average_precision(answers, said) == pytest.approx(total)


@given(judged=JUDGED, seed=st.integers(0, 100))
def test_no_figure_depends_on_the_rows_order(judged: list[tuple[bool, float]], seed: int) -> None:
    answers, said = split(judged)
    turned = np.random.default_rng(seed).permutation(len(said))
    for figure in (auc, average_precision, log_loss):
        one, other = figure(answers, said), figure(answers[turned], said[turned])
        assert one == (None if other is None else pytest.approx(other))


@given(judged=JUDGED)
def test_a_loss_is_never_negative_nor_infinite_and_nothing_for_who_is_right_and_sure(
    judged: list[tuple[bool, float]],
) -> None:
    answers, said = split(judged)
    each = losses(answers, said)
    assert np.isfinite(each).all()
    assert (each >= 0).all()
    assert losses(answers, answers).max() < 1e-14
    assert log_loss(answers, said) == pytest.approx(each.mean())


def test_the_loss_of_one_who_was_sure_and_wrong_is_capped_alike_on_both_sides() -> None:
    wrong = losses(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    assert wrong.tolist() == pytest.approx([-log(1e-15)] * 2, rel=1e-2)


@settings(max_examples=20, deadline=None)
@given(
    judged=st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), min_size=1, max_size=40),
    seed=st.integers(0, 50),
)
def test_who_is_compared_with_whom_turns_the_difference(judged: list[tuple[float, float]], seed: int) -> None:
    first, second = (np.array(column) for column in zip(*judged, strict=True))
    found = paired_bootstrap(first, second, resamples=60, seed=seed)
    turned = paired_bootstrap(second, first, resamples=60, seed=seed)
    assert found.mean == pytest.approx(-turned.mean)
    assert (found.low, found.high) == (pytest.approx(-turned.high), pytest.approx(-turned.low))
    assert found.probability_better + turned.probability_better <= 1 + 1e-9  # the rest are ties


def test_a_model_is_not_better_than_itself() -> None:
    same = np.random.default_rng(5).uniform(0, 1, 50)
    found = paired_bootstrap(same, same, resamples=30)
    assert (found.mean, found.low, found.high, found.probability_better) == (0, 0, 0, 0)


def test_the_pairs_are_kept_together() -> None:
    """Rows of very different difficulty: drawn apart, a gain of a hundredth would drown in them."""
    hard = np.random.default_rng(6).exponential(2.0, 400)
    found = paired_bootstrap(hard + 0.01, hard, resamples=200)
    assert (found.low, found.high) == (pytest.approx(0.01), pytest.approx(0.01))
    assert found.probability_better == 0.0
