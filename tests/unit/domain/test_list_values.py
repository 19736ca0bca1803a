"""List columns: what a list as a whole says of each of its rows, by hand and against a plain loop."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.lists.list_column import ListColumn
from shared.domain.lists.list_values import ListTally, Stretch, Whole, list_values
from shared.domain.tables.contract import Contract
from tests.unit.domain.clients import ADDITIONAL, BANK, CONTRACTS

SIZE = ListColumn(name="size", measure="rows")
DAY = ListColumn(name="day", measure="run", column="weekday")
PHONED = ListColumn(name="phoned", measure="share", column="contact", values=("telephone",))
KNOWN = ListColumn(name="known", measure="share", column="previous", above=0)
ALL = (SIZE, DAY, PHONED, KNOWN)

ROWS = st.lists(
    st.tuples(st.sampled_from(["mon", "tue"]), st.sampled_from(["cellular", "telephone"]), st.integers(0, 2)),
    max_size=40,
)


def table(rows: list[tuple[str, str, int]], *, coded: bool = False) -> Any:
    days, contacts, previous = zip(*rows, strict=True) if rows else ((), (), ())
    texts = [pa.array(list(texts), pa.string()) for texts in (days, contacts)]
    if coded:
        texts = [column.dictionary_encode() for column in texts]
    return pa.table({"weekday": texts[0], "contact": texts[1], "previous": pa.array(previous, pa.int64())})


def test_a_list_by_hand() -> None:
    rows = [("mon", "telephone", 0), ("mon", "cellular", 1), ("tue", "cellular", 0), ("mon", "cellular", 0)]
    found = list_values(ALL, table(rows))
    assert found["size"].tolist() == pytest.approx([math.log(4)] * 4)
    assert found["day"].tolist() == pytest.approx([math.log(2), math.log(2), 0, 0])
    assert found["phoned"].tolist() == [0.25] * 4
    assert found["known"].tolist() == [0.25] * 4


@settings(deadline=None)
@given(rows=ROWS, coded=st.booleans(), chunks=st.integers(1, 5))
def test_it_is_what_a_plain_loop_says(rows: list[tuple[str, str, int]], coded: bool, chunks: int) -> None:
    whole = table(rows, coded=coded)
    pieces = [whole.slice(start, chunks) for start in range(0, max(len(rows), 1), chunks)]
    found = list_values(ALL, pa.concat_tables(pieces))
    for place, (day, _, _) in enumerate(rows):
        first, last = place, place
        while first and rows[first - 1][0] == day:
            first -= 1
        while last + 1 < len(rows) and rows[last + 1][0] == day:
            last += 1
        assert found["day"][place] == pytest.approx(math.log(last - first + 1))
        assert found["size"][place] == pytest.approx(math.log(len(rows)))
        assert found["phoned"][place] == pytest.approx(sum(r[1] == "telephone" for r in rows) / len(rows))
        assert found["known"][place] == pytest.approx(sum(r[2] > 0 for r in rows) / len(rows))
    assert {len(values) for values in found.values()} == {len(rows)}


@settings(deadline=None)
@given(rows=ROWS, cuts=st.lists(st.integers(0, 40), max_size=6))
def test_pieces_know_of_each_other_what_they_need(rows: list[tuple[str, str, int]], cuts: list[int]) -> None:
    """Empty pieces, runs over several of them and runs that end at a cut included."""
    whole = table(rows)
    ends = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    pieces = [whole.slice(start, end - start) for start, end in pairwise(ends)]
    tally = ListTally(ALL)
    for piece in pieces:
        tally.add(piece)
    stretches = [Stretch.from_json(json.loads(json.dumps(one.to_json()))) for one in tally.stretches()]
    of = Whole.from_json(json.loads(json.dumps(tally.whole.to_json())))
    expected = list_values(ALL, whole)
    found = [list_values(ALL, piece, (of, one)) for piece, one in zip(pieces, stretches, strict=True)]
    for name, values in expected.items():
        assert [value for one in found for value in one[name].tolist()] == values.tolist()


def test_no_value_is_not_counted() -> None:
    nothing = pa.table(
        {
            "weekday": pa.array([None, None], pa.string()),
            "contact": pa.array([None, "telephone"], pa.string()),
            "previous": pa.array([None, 1], pa.int64()),
        }
    )
    found = list_values(ALL, nothing)
    assert (found["phoned"].tolist(), found["known"].tolist()) == ([0.5, 0.5], [0.5, 0.5])
    assert found["day"].tolist() == pytest.approx([math.log(2)] * 2)


@pytest.mark.parametrize(("contract", "day"), [(BANK, "day"), (ADDITIONAL, "day_of_week")])
def test_the_shipped_contracts_tell_a_list_by_its_size_day_channel_and_past(
    contract: Contract, day: str
) -> None:
    assert contract in CONTRACTS
    assert contract.list_columns == (
        ListColumn(name="list_clients", measure="rows"),
        ListColumn(name="list_day_clients", measure="run", column=day),
        ListColumn(name="list_telephone", measure="share", column="contact", values=("telephone",)),
        ListColumn(name="list_contacted", measure="share", column="previous", above=0),
    )
