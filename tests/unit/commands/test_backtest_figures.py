"""What the replay says scores are worth, held against figures worked out by hand and against identities of the field."""

from __future__ import annotations

import numpy as np
import pytest

from commands.backtest import figures
from commands.backtest.figures import Scored

ANSWERS = np.array([1.0, 0, 1, 0, 0, 0, 0, 1, 0, 0])
SCORES = np.array([0.9, 0.6, 0.5, 0.3, 0.2, 0.2, 0.13, 0.1, 0.05, 0.01])


def scored(number: int = 10, answers: np.ndarray = ANSWERS, scores: np.ndarray | None = SCORES) -> Scored:
    return Scored(number=number, answers=answers, probabilities=scores)


def test_money_calls_whoever_is_worth_it() -> None:
    found = figures.of_month(scored())
    assert (found["calls10"], found["profit10"]) == (7, 2 * 80 - 7 * 10)
    assert (found["calls20"], found["profit20"]) == (4, 2 * 80 - 4 * 20)


def test_a_client_that_is_just_worth_its_call_is_called() -> None:
    found = figures.of_month(scored(answers=np.array([1.0, 0]), scores=np.array([0.125, 0.1249])))
    assert found["calls10"] == 1


def test_deposits_reached_with_three_tenths_of_the_list() -> None:
    assert figures.of_month(scored())["reached"] == 2


def test_of_clients_with_one_score_as_many_as_chance_finds() -> None:
    assert figures.reached(ANSWERS, np.full(10, 0.4), 0.3) == pytest.approx(0.9)
    half = np.array([0.9] * 2 + [0.1] * 8)
    assert figures.reached(ANSWERS, half, 0.3) == pytest.approx(1 + 2 / 8)


def test_alift_of_chance_of_the_best_and_of_the_worst() -> None:
    share = ANSWERS.mean()
    assert figures.alift(ANSWERS, np.full(10, 0.4)) == pytest.approx(0.5)
    assert figures.alift(ANSWERS, ANSWERS) == pytest.approx(1 - share / 2)
    assert figures.alift(ANSWERS, 1 - ANSWERS) == pytest.approx(share / 2)
    assert figures.alift(np.zeros(3), SCORES[:3]) is None


def test_alift_is_what_auc_and_base_rate_give() -> None:
    """The cumulative lift curve's area is AUC (1 - rate) + rate / 2, ties as chance has them."""
    chance = np.random.default_rng(3)
    answers = (chance.random(500) < 0.2).astype(float)
    scores = np.round(chance.random(500), 1)
    found = figures.of_month(scored(answers=answers, scores=scores))
    rate = answers.mean()
    assert found["alift"] == pytest.approx(found["auc"] * (1 - rate) + rate / 2)


def test_calibration_error_of_who_is_right_on_the_average_and_of_who_is_off_by_a_tenth() -> None:
    chance = np.random.default_rng(4)
    scores = chance.uniform(0.2, 0.8, 200_000)
    answers = (chance.random(200_000) < scores).astype(float)
    assert figures.expected_calibration_error(answers, scores) < 0.01
    assert figures.expected_calibration_error(answers, scores + 0.1) == pytest.approx(0.1, abs=0.005)


def test_over_months_means_of_months_and_sums_of_money() -> None:
    one = scored()
    other = scored(11, np.array([0.0, 1]), np.array([0.2, 0.6]))
    found = figures.over([one, other])
    each = [figures.of_month(month) for month in (one, other)]
    for name in ("auc", "alift", "logLoss"):
        assert found[name] == pytest.approx((each[0][name] + each[1][name]) / 2)
    for name in ("profit10", "profit20", "calls10", "calls20", "reached"):
        assert found[name] == each[0][name] + each[1][name]
    assert found["logLossOfRows"] == pytest.approx((10 * each[0]["logLoss"] + 2 * each[1]["logLoss"]) / 12)


def test_a_month_without_a_model_is_one_without_calls() -> None:
    found = figures.over([scored(scores=None), scored(11)])
    assert (found["months"], found["monthsWithModel"]) == (2, 1)
    assert found["profit10"] == figures.of_month(scored())["profit10"]
    assert figures.over([scored(scores=None)]) == {
        "months": 1, "monthsWithModel": 0, "calls10": 0, "profit10": 0, "calls20": 0, "profit20": 0,
    }  # fmt: skip
