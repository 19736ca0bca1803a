"""The stability index: nothing for the same rows, as large as worked out by hand for others."""

from __future__ import annotations

import json
from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipelines.training.drift import _shares, drift, profile
from serving.features import Feature


def features() -> tuple[Any, ...]:
    return (Feature(name="age", type="integer"), Feature(name="job", type="category", values=("a", "b", "c")))


def rows(seed: int, count: int = 4000, *, older: float = 0.0, more_b: float = 0.0) -> Any:
    chance = np.random.default_rng(seed)
    ages = chance.normal(40 + older, 10, count)
    ages[chance.random(count) < 0.1] = np.nan
    jobs = chance.choice([0, 1, 2, np.nan], count, p=[0.4 - more_b, 0.3 + more_b, 0.2, 0.1])
    return np.column_stack([ages, jobs])


def moved(before: Any, now: Any) -> dict[str, float]:
    known = json.loads(json.dumps(profile(features(), before)))  # as it is read back
    return {one["column"]: one["psi"] for one in drift(known, features(), now)}


def test_the_same_rows_have_not_moved() -> None:
    some = rows(1)
    assert moved(some, some) == {"age": 0.0, "job": 0.0}
    assert moved(some, some[::-1]) == {"age": 0.0, "job": 0.0}
    assert moved(some, np.vstack([some, some])) == {"age": 0.0, "job": 0.0}


def test_rows_of_the_same_kind_move_little_and_others_much() -> None:
    alike = moved(rows(1), rows(2))
    assert max(alike.values()) < 0.02
    older = moved(rows(1), rows(2, older=15))
    assert older["age"] > 0.25
    assert older["job"] < 0.02


def test_the_largest_comes_first() -> None:
    known = profile(features(), rows(1))
    assert [one["column"] for one in drift(known, features(), rows(2, more_b=0.3))] == ["job", "age"]
    assert [one["column"] for one in drift(known, features(), rows(2, older=30))] == ["age", "job"]


def test_the_index_is_what_one_works_out_by_hand() -> None:
    before = np.column_stack([np.zeros(10), [0] * 5 + [1] * 5])
    now = np.column_stack([np.zeros(10), [0] * 8 + [1] * 2])
    assert moved(before, now)["job"] == pytest.approx(0.3 * log(8 / 5) - 0.3 * log(2 / 5))


def test_a_group_that_comes_or_goes_is_far_but_not_infinitely() -> None:
    before = np.column_stack([np.zeros(10), np.zeros(10)])
    gone = moved(before, np.column_stack([np.full(10, np.nan), np.full(10, np.nan)]))
    assert gone["age"] == gone["job"] == pytest.approx(2 * (1 - 1e-4) * log(1e4))


def test_numbers_that_are_mostly_the_same_have_fewer_groups() -> None:
    ages = np.where(np.arange(1000) < 960, 999.0, np.arange(1000) % 7)
    age, job = profile(features(), np.column_stack([ages, np.zeros(1000)]))["columns"]
    assert age["edges"] == [999.0, np.nextafter(999.0, np.inf)]
    assert age["shares"] == [0.04, 0.96, 0.0, 0.0]
    assert (job["edges"], job["shares"]) == ([], [1.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize("usual", [0.0, 999.0])
def test_a_move_away_from_what_nearly_everybody_had_is_seen(usual: float) -> None:
    """Whether that was the lowest value or the highest."""
    ages = np.where(np.arange(1000) < 330, 5.0, usual)
    jobs = np.zeros(1000)
    found = moved(np.column_stack([np.full(1000, usual), jobs]), np.column_stack([ages, jobs]))
    assert found["age"] > 0.25


AGES = arrays.arrays(np.float64, st.integers(1, 60), elements=st.floats(-100, 100) | st.just(np.nan))


def clients(ages: Any) -> Any:
    return np.column_stack([ages, np.arange(len(ages)) % 3])


@given(ages=AGES)
def test_shares_are_of_all_rows_and_the_last_is_of_those_without_a_value(ages: Any) -> None:
    age, job = profile(features(), clients(ages))["columns"]
    assert sum(age["shares"]) == pytest.approx(1)
    assert age["shares"][-1] == np.isnan(ages).mean()
    assert len(age["shares"]) == len(age["edges"]) + 2
    assert age["edges"] == sorted(set(age["edges"]))
    assert (len(job["shares"]), job["shares"][-1]) == (4, 0.0)


@given(before=AGES, now=AGES)
def test_the_index_is_never_negative_never_infinite_and_nothing_from_itself(before: Any, now: Any) -> None:
    known = profile(features(), clients(before))
    assert {one["psi"] for one in drift(known, features(), clients(before))} == {0.0}
    found = drift(known, features(), clients(now))
    assert all(0 <= one["psi"] < 20 for one in found)
    assert [one["psi"] for one in found] == sorted((one["psi"] for one in found), reverse=True)


def test_columns_that_moved_alike_stand_in_the_order_of_their_names() -> None:
    same = [Feature(name=name, type="integer") for name in ("b", "c", "a")]
    matrix = np.column_stack([np.arange(20.0)] * 3)
    assert [one["column"] for one in drift(profile(same, matrix), same, matrix)] == ["a", "b", "c"]


def test_groups_are_cut_at_the_deciles() -> None:
    (age,) = profile(features()[:1], np.arange(100.0).reshape(-1, 1))["columns"]
    assert age["edges"] == pytest.approx([9.9, 19.8, 29.7, 39.6, 49.5, 59.4, 69.3, 79.2, 89.1])
    assert age["shares"] == pytest.approx([0.1] * 10 + [0.0])


def test_a_value_on_an_edge_is_in_the_group_above() -> None:
    edges = [1.0, 2.0]
    (age, _), said = features(), np.array([0.9, 1.0, 1.5, 2.0, 9.0, np.nan])
    assert _shares(age, said, edges).tolist() == [1 / 6, 2 / 6, 2 / 6, 1 / 6]


def test_a_profile_of_other_columns_is_none_of_these() -> None:
    known = profile(features(), rows(1))
    with pytest.raises(ValueError, match="zip"):
        drift(known, features()[:1], rows(1))
