"""Row digests: equal for equal rows wherever they stand, different for different ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.datasets.row_digest import row_digests

TYPES = {"age": pa.int64(), "rate": pa.float64(), "job": pa.string()}
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-5, 5),
        st.none() | st.sampled_from([0.0, -0.0, 1.5, float("inf")]),
        st.none() | st.sampled_from(["", "a", "b", "null", "text a"]),
    ),
    max_size=30,
)

KNOWN = 10507663511598284827


def table(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([], [], [])
    return pa.table(
        {name: pa.array(column, kind) for (name, kind), column in zip(TYPES.items(), columns, strict=True)}
    )


def test_a_known_row_has_the_digest_it_ever_had() -> None:
    """Written down once: another digest would move rows over the hold-out's border."""
    assert row_digests(table([(41, 1.25, "admin.")]), TYPES).tolist() == [KNOWN]


@given(rows=ROWS)
def test_digests_are_equal_where_rows_are_and_only_there(rows: list[tuple[Any, ...]]) -> None:
    found = row_digests(table(rows), TYPES)
    same = {digest: row for digest, row in zip(found.tolist(), rows, strict=True)}
    assert [same[digest] for digest in found.tolist()] == rows  # -0.0 == 0.0
    assert len(same) == len(set(rows))


@given(rows=ROWS, cut=st.integers(0, 30))
def test_neither_places_nor_pieces_nor_the_order_of_columns_show(
    rows: list[tuple[Any, ...]], cut: int
) -> None:
    whole = table(rows)
    found = row_digests(whole, TYPES)
    assert row_digests(whole.select(["job", "age", "rate"]), reversed(TYPES)).tolist() == found.tolist()
    pieces = pa.concat_tables([whole.slice(cut), whole.slice(0, cut)])
    assert sorted(row_digests(pieces, TYPES).tolist()) == sorted(found.tolist())
    assert (
        row_digests(whole.take(pa.array(range(len(rows))[::-1], pa.int64())), TYPES).tolist()
        == found[::-1].tolist()
    )


def test_only_the_named_columns_count_and_one_that_is_missing_is_null() -> None:
    one, other = table([(1, 2.0, "a")]), table([(1, 2.0, "b")])
    assert row_digests(one, ["age", "rate"]).tolist() == row_digests(other, ["age", "rate"]).tolist()
    null = row_digests(table([(1, 2.0, None)]), TYPES)
    assert row_digests(one.select(["age", "rate"]), TYPES).tolist() == null.tolist()


def test_values_do_not_change_places_between_columns_unnoticed() -> None:
    made = pa.table({"a": [1, 2], "b": [2, 1]})
    one, other = row_digests(made, ["a", "b"])
    assert one != other


def test_many_rows_have_as_many_digests() -> None:
    ages = np.arange(200_000)
    made = pa.table({"age": ages, "job": pa.array(["a", "b"] * 100_000)})
    assert len(np.unique(row_digests(made, ["age", "job"]))) == 200_000


@pytest.mark.parametrize("bit", [0, 13, 31, 63])
def test_half_of_the_digests_have_any_bit(bit: int) -> None:
    found = row_digests(pa.table({"age": np.arange(50_000)}), ["age"])
    assert ((found >> np.uint64(bit)) & np.uint64(1)).mean() == pytest.approx(0.5, abs=0.02)
