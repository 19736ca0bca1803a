"""The call list: who is on it, in which order, why the others are not, and what chance has to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.batches.control_group import ControlGroup
from shared.domain.outcomes.call_list import CallList, Stretch
from shared.domain.outcomes.scored_lines import Unfindable, records
from shared.domain.policy import Policy
from shared.domain.tables.dialect import Header

NAN = float("nan")


def listed(
    probability: Sequence[float],
    *,
    places: int = 0,
    share: float = 0.0,
    cut: Sequence[int] = (),
    **masks: Sequence[int],
) -> tuple[list[int], dict[str, int]]:
    """Rows on the list, and how many are not by reason. masks: rows that are in control, suppressed or contacted"""
    calls = CallList(batch="b-00000000", places=places, control_share=share, call_cost=10, deposit_value=80)
    p = np.array(probability, dtype=np.float64)
    edges = [0, *cut, len(p)]
    for start, end in pairwise(edges):

        def mask(name: str, start: int = start, end: int = end) -> Any:
            return np.isin(np.arange(start + 1, end + 1), list(masks.get(name, ())))

        calls.add(
            Stretch(
                first=start + 1,
                probability=p[start:end],
                control=mask("control"),
                suppressed=mask("suppressed"),
                contacted=mask("contacted"),
            )
        )
    rows, _ = calls.chosen()
    return rows.tolist(), {reason: count for reason, count in calls.left_out.items() if count}


def test_best_first_and_ties_by_row() -> None:
    assert listed([0.5, 0.9, 0.2, 0.9, 0.01]) == ([2, 4, 1, 3], {"not-worth-a-call": 1})


def test_each_row_is_left_out_for_its_first_reason() -> None:
    rows, left_out = listed(
        [NAN, 0.9, 0.9, 0.05, 0.8, 0.7], places=1, suppressed=[1, 2], contacted=[2, 3, 4], cut=[2]
    )
    assert rows == [5]
    reasons = {"no-score": 1, "do-not-call": 1, "contacted-enough": 2, "no-place-left": 1}
    assert left_out == reasons


def test_control_is_called_whatever_it_is_worth_and_has_its_share_of_the_places() -> None:
    assert listed([0.9, 0.01, 0.02], control=[2]) == ([1, 2], {"not-worth-a-call": 1})
    p = [0.9] * 50 + [0.01] * 50
    rows, _ = listed(p, places=10, share=0.2, control=range(51, 101))
    assert len(rows) == 10
    assert sum(row > 50 for row in rows) == 2


def test_the_control_group_on_a_short_list_is_chosen_by_chance() -> None:
    """Their scores say nothing of which of them are called."""
    p = np.linspace(0.01, 0.99, 1000)
    rows, _ = listed(p.tolist(), places=400, share=0.5, control=range(1, 1001))
    assert len(rows) == 200
    assert p[np.array(rows) - 1].mean() == pytest.approx(0.5, abs=0.06)


@settings(max_examples=100, deadline=None)
@given(
    p=st.lists(st.one_of(st.floats(0, 1), st.just(NAN)), min_size=1, max_size=60),
    places=st.integers(0, 20),
    cut=st.integers(1, 59),
)
def test_every_row_is_listed_or_counted_once_however_it_is_read(
    p: list[float], places: int, cut: int
) -> None:
    whole, left_out = listed(p, places=places)
    assert (whole, left_out) == listed(p, places=places, cut=[cut] if cut < len(p) else [])
    assert len(whole) + sum(left_out.values()) == len(p)
    assert len(whole) <= places or not places
    worth = sorted((-x * 80 + 10, row) for row, x in enumerate(p, 1) if x * 80 - 10 > 0)
    assert [row for _, row in worth][: places or None] == whole


def test_chance_draws_its_share_the_same_rows_each_time() -> None:
    group = ControlGroup(batch="clients-csv-0a1b2c3d", share=0.1)
    drawn = group.drawn(3, 0, 20_000)
    assert drawn.mean() == pytest.approx(0.1, abs=0.01)
    assert (group.drawn(3, 5000, 100) == drawn[5000:5100]).all()
    assert (group.drawn(4, 0, 20_000) & drawn).mean() == pytest.approx(0.01, abs=0.004)
    assert (group.propensity("control"), group.propensity("model")) == (0.1, 0.9)


@pytest.mark.parametrize(
    ("given", "places"),
    [
        ({}, 0),
        ({"most_calls": 7}, 7),
        ({"call_hours": 2.5, "calls_per_hour": 10}, 25),
        ({"call_hours": 0.01}, 1),
        ({"most_calls": 7, "call_hours": 100}, 7),
    ],
)
def test_places_by_calls_and_hours(given: dict[str, Any], places: int) -> None:
    assert Policy(**given).places_on_call_list == places


def header(**more: Any) -> Header:
    return Header(names=("a", "b"), delimiter=";", newline="\n", bom=False, line=1, end=4, **more)


def test_records_are_found_where_values_hold_line_ends() -> None:
    data = b'1;"x\ny"\n2;z\n'
    inside = header(line_ends_in=("b",))
    assert records(data, inside, np.array([0, 1]), rows=2) == [b'1;"x\ny"', b"2;z"]
    assert records(b"1;x\r\n2;z\r\n", header(crlf=True), np.array([1]), rows=2) == [b"2;z"]
    with pytest.raises(Unfindable):
        records(data, inside, np.array([0]), rows=4)
