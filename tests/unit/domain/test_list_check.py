"""What holds a list, and what does not: errors of the file against months that are only new."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipelines.training import evaluate
from shared.domain.lists.column_tally import ColumnTally, number_range
from shared.domain.lists.list_check import implausible
from shared.domain.lists.list_drift import HELD_OUT_TENTHS, chance, index, list_drift, score_drift

CHANCE = np.random.default_rng(5)
EMPLOYED = CHANCE.uniform(4960, 5230, 2000)
RATE = CHANCE.choice([1.1, 1.4, -0.1], 2000)
BALANCE = CHANCE.lognormal(6, 1.2, 2000) * CHANCE.choice([1, -0.3], 2000, p=[0.9, 0.1])
INDEX = CHANCE.uniform(-50.8, -26.9, 2000)
CODES = {"a": 0, "b": 1, "new": 2}


def learned(values: Any, name: str = "x") -> dict[str, Any]:
    edges = np.unique(np.quantile(values, np.arange(1, 10) / 10)).tolist()
    places = np.searchsorted(edges, values, side="right")
    shares = (np.bincount(places, minlength=len(edges) + 2) / len(values)).tolist()
    return {"name": name, "type": "number", "edges": edges, "shares": shares, **number_range(values)}


def held(values: Any, before: Any) -> list[str]:
    """By which rule it is held, looked at in two pieces."""
    known = learned(before)
    tally = ColumnTally(known, ())
    for piece in np.array_split(np.asarray(values, dtype=np.float64), 2):
        tally.add(pa.array(piece))
    return [one["rule"] for one in implausible([tally.to_json()], {"columns": [known], "rows": len(before)})]


@pytest.mark.parametrize("before", [EMPLOYED, RATE, INDEX], ids=["employed", "rate", "index"])
@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_a_decimal_point_taken_for_one_of_thousands_is_held(before: Any, factor: float) -> None:
    assert held(before[:300] * factor, before) == ["magnitude"]


def test_ten_times_as_much_and_a_lost_sign_are_held() -> None:
    assert held(EMPLOYED[:300] * 10, EMPLOYED) == ["range"]
    assert held(-INDEX[:300], INDEX) == ["sign"]


def test_a_month_that_is_only_new_is_not_held() -> None:
    """A rate that falls further than any before, to the other side of nothing; a column that was one number so far."""
    assert held([-3.4] * 100, RATE) == []
    assert held([-0.1] * 100, np.full(500, 1.1)) == []
    assert held([4963.6] * 10, np.full(500, 5191.0)) == []
    assert held([0.0] * 50, EMPLOYED * 0 + 5) == []


def test_some_odd_clients_hold_no_list() -> None:
    odd = np.concatenate([BALANCE[:96], [9e6, 8e6, 7e6, 5e6]])
    assert held(odd, BALANCE) == []
    assert held(np.concatenate([BALANCE[:90], np.full(10, 9e6)]), BALANCE) == ["magnitude"]


def test_steady_lists_are_held_less_than_once_in_five_hundred() -> None:
    """A heavy tail, lists of 20 to 500 clients: at a list a day, less than one false alarm in a year."""
    assert (
        sum(
            bool(held(CHANCE.lognormal(6, 1.2, size), BALANCE)) for size in (20, 100, 500) for _ in range(200)
        )
        == 0
    )


def test_an_order_of_magnitude_counts_each_row_once() -> None:
    found = number_range(np.array([0.0, 0.5, -7.0, 12.0, 999.0, 1000.0, np.nan]))
    assert found == {
        "minimum": -7.0,
        "maximum": 1000.0,
        "orders": {"-1": 1, "0": 1, "1": 1, "2": 1, "3": 1, "zero": 1},
    }
    assert number_range(np.array([np.nan])) == {}


# --- drift -----------------------------------------------------------------------------------------------------------


def drift_of(values: Any, before: Any) -> dict[str, Any]:
    known = learned(before)
    tally = ColumnTally(known, ())
    tally.add(pa.array(values))
    [found] = list_drift([tally.to_json()], {"columns": [known], "rows": len(before)})
    return found


def test_small_lists_move_nothing_by_chance_alone() -> None:
    """Of 300 lists of 30 rows the index of most is above 0.1; one of a thousand may be above its limit."""
    found = [drift_of(CHANCE.uniform(4960, 5230, 30), EMPLOYED) for _ in range(300)]
    assert sum(one["psi"] > 0.1 for one in found) > 200
    assert sum(one["moved"] for one in found) <= 9


def test_what_moves_is_said_to_have_moved() -> None:
    assert drift_of(CHANCE.uniform(5100, 5230, 200), EMPLOYED)["moved"]
    assert not drift_of(CHANCE.uniform(4960, 5230, 20_000), EMPLOYED)["moved"]


def test_categories_never_learned_are_counted() -> None:
    known = {"name": "c", "type": "category", "edges": [], "shares": [0.5, 0.5, 0.0, 0.0]}
    tally = ColumnTally(known, tuple(CODES))
    texts = pa.array(["b", "new", "a", "new"]).dictionary_encode()
    tally.add(texts)
    assert tally.to_json()["counts"] == [1, 1, 2, 0]
    [found] = list_drift([tally.to_json()], {"columns": [known], "rows": 100})
    assert found["new_share"] == 0.5


def test_scores_are_held_against_the_tenths_of_the_held_out() -> None:
    even, none = score_drift([10] * 10, {}), score_drift([0] * 10, {})
    assert even is not None
    assert (round(even["psi"], 9), even["moved"], none) == (0, False, None)
    assert score_drift([0] * 9 + [500], {})["moved"]  # type: ignore[index]


@pytest.mark.parametrize("counted", [True, False], ids=["counted", "of old"])
@pytest.mark.parametrize("held_out", [100, 400])
def test_scores_that_did_not_move_are_rarely_said_to_have_however_few_were_held_out(
    held_out: int, counted: bool
) -> None:
    """By the limit that takes their tenths for exact every third was, where 100 were."""
    chances = np.random.default_rng(7)
    said = [moved(chances.random(held_out), chances.random(5000), counted=counted) for _ in range(400)]
    assert sum(said) <= 4
    assert moved(chances.random(held_out), chances.beta(2, 1, 5000), counted=counted)


def test_a_model_of_few_different_scores_leaves_tenths_empty_for_good() -> None:
    chances = np.random.default_rng(8)
    scores, shares = [0.02, 0.05, 0.11, 0.3, 0.7], [0.5, 0.2, 0.15, 0.1, 0.05]
    said = [
        moved(chances.choice(scores, 500, p=shares), chances.choice(scores, 1000, p=shares))
        for _ in range(400)
    ]
    assert sum(said) <= 4
    assert moved(chances.choice(scores, 500, p=shares), chances.choice(scores, 1000, p=shares[::-1]))


def moved(held_out: Any, scores: Any, *, counted: bool = True) -> bool:
    """Whether scores are said to have moved. counted: whether the model says how many held-out rows are in each tenth"""
    cuts = evaluate.deciles(held_out)
    known = {HELD_OUT_TENTHS: evaluate.tenths(held_out, cuts)} if counted else {}
    found = score_drift(
        evaluate.tenths(scores, cuts), {"model": known, "evaluation": {"rows": len(held_out)}}
    )
    return bool(found and found["moved"])


def test_known_figures_of_the_index_and_of_chance() -> None:
    """0.3 ln 3 + 0.3 ln 3 by hand; the quantile 0.999 of chi-square with 9 degrees of freedom is 27.88."""
    assert index([0.25, 0.75], [0.75, 0.25]) == pytest.approx(np.log(3))
    assert chance(10, 1.0) == pytest.approx(27.88, rel=0.01)
