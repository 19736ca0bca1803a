"""The recipe gate: what an e-value is worth, when a recipe is replaced, and how often that is a mistake."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.models import recipe_gate
from shared.domain.models.recipe_gate import Drop, choose, e_value

LIVE, OTHER, THIRD = "live", "other", "third"


def drop(version: int, gain: float, *, rows: int = 1500, spread: float = 0.05, third: float = 0.0) -> Drop:
    """A drop in which `other` is better than `live` by `gain`. spread: of a row's difference"""
    variance = spread**2
    return Drop(
        version=version,
        rows=rows,
        recipes=(LIVE, OTHER, THIRD),
        losses=(0.28, 0.28 - gain, 0.28 - third),
        covariance=((variance, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    )


def chosen(drops: list[Drop], **more: Any) -> recipe_gate.Choice:
    given_: dict[str, Any] = {"live": LIVE, "since": 0, "challengers": [LIVE, OTHER], "false_change": 0.05}
    return choose(drops, **{**given_, **more})


def test_a_recipe_that_is_two_percent_better_is_taken_at_the_third_drop() -> None:
    drops = [drop(version, 0.0056) for version in range(1, 4)]
    assert chosen(drops[:2]).live == LIVE
    found = chosen(drops)
    assert (found.live, found.since, found.replaced) == (OTHER, 3, LIVE)
    (standing,) = found.standings
    assert (standing.drops, standing.rows) == (3, 4500)
    assert standing.mean == pytest.approx(-0.0056)
    assert standing.e_value >= found.asked == 40


def test_a_challenger_that_is_none_any_more_was_a_chance_to_be_wrong_all_the_same() -> None:
    """Or searches that bring a new recipe each month would find one that is better by chance, sooner or later."""
    drops = [drop(version, 0.0) for version in range(1, 4)]
    assert chosen(drops, challengers=[LIVE, OTHER]).asked == 40
    assert chosen(drops, challengers=[LIVE, OTHER], since=3).asked == 20


def test_two_drops_never_change_a_recipe_however_clear_they_are() -> None:
    assert chosen([drop(1, 0.5), drop(2, 0.5)]).live == LIVE


def test_the_month_in_which_everything_changes_does_not_decide_alone() -> None:
    drops = [*(drop(version, -0.002) for version in range(1, 5)), drop(5, 1.5)]
    assert chosen(drops).live == LIVE


def test_one_bad_drop_is_not_outvoted_by_its_size() -> None:
    """Ten times the rows of a month are not ten months."""
    drops = [drop(1, 0.02, rows=100_000), drop(2, -0.01), drop(3, -0.01)]
    assert chosen(drops).live == LIVE


def test_a_worse_recipe_is_never_taken() -> None:
    assert chosen([drop(version, -0.0056) for version in range(1, 100)]).live == LIVE


def test_each_change_begins_anew() -> None:
    """Drops before the live recipe became live are no evidence against it: they are why it did."""
    drops = [drop(version, 0.0056) for version in range(1, 4)]
    assert chosen(drops, since=3).live == LIVE
    assert chosen([*drops, drop(4, 0.0056)], since=3).standings[0].drops == 1


def test_of_two_that_are_better_the_surer_is_taken() -> None:
    drops = [drop(version, 0.0056, third=0.01) for version in range(1, 5)]
    assert chosen(drops, challengers=[OTHER, THIRD]).live == THIRD


def test_more_challengers_must_be_surer() -> None:
    found = chosen([drop(1, 0.0)], challengers=[LIVE, OTHER, THIRD])
    assert found.asked == 40
    assert {one.recipe for one in found.standings} == {OTHER, THIRD}


@pytest.mark.parametrize("rows", [0, recipe_gate.LEAST_ROWS - 1])
def test_a_drop_of_few_rows_is_no_evidence(rows: int) -> None:
    found = chosen([drop(version, 0.5, rows=rows) for version in range(1, 6)])
    assert found.live == LIVE
    assert found.standings[0].drops == 0


def test_a_recipe_that_a_drop_was_not_scored_by_has_no_evidence_there() -> None:
    assert drop(1, 0.1).difference("unknown", LIVE) is None
    assert chosen([drop(version, 0.5) for version in range(1, 6)], challengers=["unknown"]).live == LIVE


def test_rows_of_a_drop_are_alike() -> None:
    """However many there are, the mean of a drop is no surer than its month."""
    (_, few), (_, many) = (drop(1, 0.1, rows=rows).difference(OTHER, LIVE) or (0, 0) for rows in (100, 10**9))
    assert many == pytest.approx(0.05**2 * recipe_gate.ALIKE)
    assert few == pytest.approx(0.05**2 * (1 / 100 + recipe_gate.ALIKE))


def test_equal_recipes_have_no_evidence_at_all() -> None:
    same = Drop(version=1, rows=500, recipes=(LIVE, OTHER), losses=(0.3, 0.3), covariance=((1, 1), (1, 1)))
    assert chosen([same] * 30).standings[0].e_value == 1.0


def test_a_fair_game_rarely_reaches_what_is_asked_at_any_of_many_looks() -> None:
    """Ville: asked at each of 100 drops, evidence for nothing reaches 20 in at most 5 of 100 games."""
    chance, reached, games = random.Random(1), 0, 2000
    for _ in range(games):
        gain, best = 0.0, 0.0
        for drops in range(1, 101):
            gain += chance.gauss(0, 1)
            best = max(best, e_value(gain, drops))
        reached += best >= 20
    assert reached / games <= 0.05


@given(gain=st.floats(-1e6, 1e6), drops=st.integers(1, 10_000))
def test_an_e_value_is_a_number_and_grows_with_the_gain(gain: float, drops: int) -> None:
    found = e_value(gain, drops)
    assert found >= 0
    assert math.isfinite(found)
    assert e_value(gain + 1, drops) >= found


def test_evidence_travels_as_json() -> None:
    one = drop(3, 0.01)
    assert Drop.from_json(one.to_json()) == one
