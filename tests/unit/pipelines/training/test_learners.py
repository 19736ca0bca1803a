"""Learners: what each finds in rows where the truth is known, and that the same rows always give the same member."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipelines.training import learners
from pipelines.training.learners import LEARNERS, Matrix, fit, fit_member
from serving.linear import FittedLinear, Linear
from serving.members import loaded
from shared.domain.models.recipe import Recipe, RecipeMember
from tests.unit.pipelines.known_rows import FEATURES, NAMES, drawn


def member(learner: Any, **more: Any) -> RecipeMember:
    return RecipeMember(name="one", learner=learner, **more)


def predict(made: Any, values: Any) -> Any:
    return loaded([replace(made, weight=1.0)], FEATURES).predict(np.asfortranarray(values))


@pytest.mark.parametrize("learner", LEARNERS)
def test_what_is_in_the_rows_is_found(learner: Any) -> None:
    made = fit_member(member(learner), drawn(), NAMES, weight=1.0)
    student, admin, old = predict(made, [[30.0, 2.0, 8.0], [30.0, 0.0, 8.0], [85.0, 0.0, 8.0]])
    assert 0.4 < student < 0.75
    assert admin < 0.25
    assert old < 0.25


@pytest.mark.parametrize("learner", LEARNERS)
def test_the_same_rows_give_the_same_text_with_one_thread_and_with_two(
    learner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = fit_member(member(learner), drawn(), NAMES, weight=1.0)
    monkeypatch.setattr(learners, "THREADS_PAY_FROM", 1)
    assert fit_member(member(learner), drawn(), NAMES, weight=1.0).stored == one.stored


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_column_that_it_may_not_see_changes_nothing(learner: Any) -> None:
    """Neither one that the recipe leaves out nor one that is not among the names."""
    rows = drawn()
    blind = member(learner, without=("age, in years",))
    made = fit_member(blind, rows, ["age, in years", "job"], weight=1.0)
    assert made.columns == ("job",)
    shuffled = np.array(rows.values)
    shuffled[:, 0], shuffled[:, 2] = 7.0, 9.0
    other = fit_member(blind, replace(rows, values=np.asfortranarray(shuffled)), NAMES[:2], weight=1.0)
    assert other.stored == made.stored


@pytest.mark.parametrize("learner", LEARNERS)
def test_what_is_missing_is_a_value_like_another(learner: Any) -> None:
    rows = drawn()
    values = np.array(rows.values)
    gone = np.random.default_rng(2).random(len(values)) < 0.5
    values[gone, 1] = np.nan
    answers = np.where(gone, np.random.default_rng(3).random(len(values)) < 0.9, rows.answers)
    made = fit_member(
        member(learner), replace(rows, values=np.asfortranarray(values), answers=answers.astype(float)), NAMES,
        weight=1.0,
    )  # fmt: skip
    assert predict(made, [[30.0, np.nan, 8.0]])[0] > 0.6


def test_a_ridge_regressions_reasons_are_measured_from_its_mean_over_the_rows() -> None:
    """So what is common in them moves a client little, as trees say too."""
    rows = drawn()
    values = np.array(rows.values)
    values[np.random.default_rng(5).random(len(values)) < 0.2, 0] = np.nan
    made = fit_member(member("ridge"), replace(rows, values=np.asfortranarray(values)), NAMES, weight=1.0)
    fitted = FittedLinear(Linear.from_text(made.stored), FEATURES)
    moved, expected = fitted.contributions(values)
    assert moved.mean(axis=0) == pytest.approx(np.zeros(len(FEATURES)), abs=1e-9)
    assert expected == pytest.approx(fitted.log_odds(values).mean())
    assert np.abs(moved).max() > 0.1


def test_a_small_list_is_heard_beside_a_large_one() -> None:
    """With a weight of n^-1 every list says as much as any other: rates of 0.02 and 0.5 meet in the middle."""
    large, small = 9000, 300
    lists = np.repeat([0, 1], [large, small])
    chance = np.random.default_rng(4)
    rate = np.where(lists == 0, 0.02, 0.5)
    rows = Matrix(
        inputs=FEATURES[:1],
        values=np.asfortranarray(chance.integers(18, 90, (large + small, 1)).astype(float)),
        answers=(chance.random(large + small) < rate).astype(float),
        lists=lists,
    )
    said = {
        power: loaded([fit_member(member("ridge", list_weight=power), rows, NAMES[:1], weight=1.0)], FEATURES[:1])
        .predict(np.array([[50.0]], order="F"))[0]
        for power in (0.0, -1.0)
    }  # fmt: skip
    assert said[0.0] < 0.06
    assert said[-1.0] > 0.2


def test_of_the_newest_lists_only_is_learned_where_a_recipe_says_so() -> None:
    rows = drawn(lists=5)
    newest = fit_member(member("boosted-trees", newest_lists=2), rows, NAMES, weight=1.0)
    cut = rows.only(rows.lists >= 3)
    assert newest.stored == fit_member(member("boosted-trees"), cut, NAMES, weight=1.0).stored


@pytest.mark.parametrize("only", [0.0, 1.0])
@pytest.mark.parametrize("learner", LEARNERS)
def test_of_more_lists_is_learned_where_the_newest_hold_one_answer_alone(learner: Any, only: float) -> None:
    rows = drawn(lists=4)
    rows = replace(rows, answers=np.where(rows.lists == 3, only, rows.answers))
    made = fit_member(member(learner, newest_lists=1), rows, NAMES, weight=1.0)
    assert made.stored == fit_member(member(learner, newest_lists=2), rows, NAMES, weight=1.0).stored
    assert np.isfinite(predict(made, rows.values)).all()


def test_of_all_lists_is_learned_where_none_of_them_has_enough_of_both_answers() -> None:
    rows = drawn(200, lists=2)
    few = np.where(np.isin(np.arange(200), [3, 180]), 1.0, 0.0)
    made = fit_member(member("ridge", newest_lists=1), replace(rows, answers=few), NAMES, weight=1.0)
    assert made.stored == fit_member(member("ridge"), replace(rows, answers=few), NAMES, weight=1.0).stored


@pytest.mark.parametrize("only", [0.0, 1.0])
def test_a_regression_has_an_end_where_half_lives_leave_one_answer_all_the_weight(only: float) -> None:
    rows = drawn(lists=12)
    rows = replace(rows, answers=np.where(rows.lists >= 2, only, rows.answers))
    made = fit_member(member("ridge", half_life=0.1), rows, NAMES, weight=1.0)
    assert np.isfinite(predict(made, rows.values)).all()


def test_an_older_list_says_less_where_a_recipe_has_it_so() -> None:
    """The old list deposits rarely, the new one often; with a half-life of a fifth of a list only the new one is heard."""
    lists = np.repeat([0, 1], 3000)
    chance = np.random.default_rng(4)
    rows = Matrix(
        inputs=FEATURES[:1],
        values=np.asfortranarray(chance.integers(18, 90, (6000, 1)).astype(float)),
        answers=(chance.random(6000) < np.where(lists == 0, 0.05, 0.45)).astype(float),
        lists=lists,
    )

    def said(half_life: float | None) -> float:
        made = fit_member(member("ridge", half_life=half_life), rows, NAMES[:1], weight=1.0)
        return float(loaded([made], FEATURES[:1]).predict(np.array([[50.0]], order="F"))[0])

    assert said(None) == pytest.approx(0.25, abs=0.03)
    assert said(1) == pytest.approx((0.05 + 2 * 0.45) / 3, abs=0.03)
    assert said(0.2) > 0.4


@pytest.mark.parametrize("learners_", [("ridge",), ("ridge", "boosted-trees")])
def test_at_a_higher_temperature_a_model_is_less_sure_and_ranks_the_same(learners_: tuple[Any, ...]) -> None:
    rows = drawn()
    members = tuple(RecipeMember(name=each, learner=each) for each in learners_)

    def odds(temperature: float) -> Any:
        recipe = Recipe(name="r", members=members, temperature=temperature)
        said = loaded(fit(recipe, rows, NAMES), FEATURES).predict(rows.values)
        return np.log(said / (1 - said))

    assert odds(1.25) == pytest.approx(odds(1.0) / 1.25, abs=1e-9)


def test_a_line_says_nothing_beyond_what_it_has_seen() -> None:
    made = fit_member(member("ridge"), drawn(), NAMES, weight=1.0)
    far, edge = predict(made, [[900.0, 2.0, 8.0], [89.0, 2.0, 8.0]])
    assert far == edge


def test_a_regression_ends_where_no_step_helps_even_for_rows_it_could_split_for_ever() -> None:
    """Separable answers: without the penalty the coefficients would grow without end, and a full step overshoot."""
    values = np.arange(200, dtype=float).reshape(-1, 1)
    rows = Matrix(
        inputs=FEATURES[:1],
        values=np.asfortranarray(values),
        answers=(values[:, 0] >= 100).astype(float),
        lists=np.zeros(200, np.int64),
    )
    made = fit_member(member("ridge", parameters={"strength": 1000}), rows, NAMES[:1], weight=1.0)
    assert all(np.isfinite(term["coefficient"]) for term in json.loads(made.text)["terms"])
    low, high = loaded([made], FEATURES[:1]).predict(np.array([[10.0], [190.0]], order="F"))
    assert low < 0.02
    assert high > 0.98


def test_a_recipe_becomes_its_members_with_weights_that_add_up_to_one() -> None:
    recipe = Recipe(
        name="two",
        members=(member("ridge", weight=3.0), replace(member("boosted-trees"), name="other")),
    )
    made = fit(recipe, drawn(), NAMES)
    assert [(each.name, each.kind, each.weight) for each in made] == [
        ("one", "linear", 0.75),
        ("other", "trees", 0.25),
    ]
