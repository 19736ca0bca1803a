"""From rows to requests: small enough, in order, and down to the row at fault."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.batches import request_split as requests
from shared.domain.batches.request_split import row_by_row, sized
from shared.domain.models.answers import Answers, Unusable
from shared.errors import Refused, Transient, Unanswerable


def batch(count: int, start: int = 0) -> Any:
    return pa.record_batch([pa.array(range(start, start + count), pa.int32())], names=["age"])


def well() -> None:
    """The model is."""


def answers(rows: Any) -> Answers:
    values = rows.column(0).to_pylist()
    return Answers.checked(
        [v / 1000 for v in values], [1] * len(values), ["call"] * len(values), rows=len(values)
    )


@given(st.integers(0, 1000), st.integers(1, 2000))
def test_requests_hold_all_rows_in_order_and_no_more_than_they_may(count: int, room: int) -> None:
    found = sized(batch(count), most_bytes=requests.ENVELOPE + room)
    assert [v for rows in found for v in rows.column(0).to_pylist()] == list(range(count))
    assert all(0 < rows.num_rows <= max(1, room // 4) for rows in found)


@given(st.integers(1, 200), st.sets(st.integers(0, 199), max_size=10))
def test_only_the_rows_at_fault_come_out_without_a_score(count: int, poison: set[int]) -> None:
    def ask(rows: Any) -> Answers:
        if poison & set(rows.column(0).to_pylist()):
            raise Unanswerable("424")
        return answers(rows)

    found = row_by_row(batch(count), ask, well)
    at_fault = {row for row in poison if row < count}
    assert set(found.problems) == at_fault
    expected = [None if row in at_fault else row / 1000 for row in range(count)]
    assert found.probability.to_pylist() == expected


def test_a_model_that_fails_on_everything_is_not_asked_about_every_row() -> None:
    calls = 0

    def ask(_: Any) -> Answers:
        nonlocal calls
        calls += 1
        raise Unanswerable("424")

    with pytest.raises(Refused, match="failed on 201 requests"):
        row_by_row(batch(5000), ask, well)
    assert calls < 2 * requests.MOST_FAILURES


def test_while_the_model_is_not_well_no_row_is_at_fault() -> None:
    def ask(_: Any) -> Answers:
        raise Unanswerable("424")

    def out() -> None:
        raise Transient("it is out")

    with pytest.raises(Transient, match="it is out"):
        row_by_row(batch(50), ask, out)


@pytest.mark.parametrize(
    ("probability", "decile", "decision"),
    [
        ([0.5], [1], ["call"]),
        ([0.5] * 3, [1] * 3, ["call"] * 3),
        ([0.5, float("nan")], [1, 1], ["call"] * 2),
        ([0.5, float("inf")], [1, 1], ["call"] * 2),
        ([0.5, -0.1], [1, 1], ["call"] * 2),
        ([0.5, 1.1], [1, 1], ["call"] * 2),
        ([0.5, 0.5], [0, 1], ["call"] * 2),
        ([0.5, 0.5], [1, 11], ["call"] * 2),
        ([0.5, 0.5], [1, 1], ["call", "maybe"]),
        ([0.5, 0.5], [1, 1], ["call", None]),
        ([0.5, 0.5], [1], ["call", "skip"]),
    ],
)
def test_an_answer_that_is_none_is_not_taken(probability: Any, decile: Any, decision: Any) -> None:
    with pytest.raises(Unusable):
        Answers.checked(probability, decile, decision, rows=2)
