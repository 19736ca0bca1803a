"""Spoilt files, a thousand of them: no value is admitted that did not stand there, and what is wrong is named."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from shared.domain.tables.admission import check_rows
from tests.unit.domain.clients import CONTRACTS, NAMES, in_pieces, rows
from tests.unit.domain.pollution import STYLES, Polluted, Pollution, Row

PARTS = ("files", "tables", "dialects", "encodings", "rows")
MANY = 84
"""Rows of the benchmark's source, its header included."""


def table(count: int) -> list[Row]:
    return [tuple(row) for row in rows(count)]


def faults(polluted: Polluted, source: list[Row]) -> list[str]:
    """What admission did to the file that it should not have done."""
    admission = check_rows(in_pieces(polluted.data, 1 << 20), CONTRACTS)
    batches = list(admission.batches())
    found = Counter(
        row
        for batch in batches
        for row in zip(*(map(str, batch.columns[name].to_pylist()) for name in NAMES), strict=True)
    )
    said = [admission.problem] if admission.problem else [admission.tally.refusal]
    said += [reject.message for batch in batches for reject in batch.rejects]
    wanted = {source[at] for at in polluted.intact}
    checks = {
        "values were admitted that the file does not have": set(found) - set(source),
        "a row was admitted more often than it stands there": [
            row for row, count in found.items() if count > 1
        ],
        "a row that nothing was done to is lost": wanted - set(found),
        "the file was taken in": polluted.whole and found,
        "a record is neither admitted nor put aside": admission.tally.records
        != sum(found.values()) + _rejected(batches),
        f"nothing is said like {polluted.says}": not any(re.search(polluted.says, one) for one in said),
    }
    return [f"{polluted.name}: {what}; it said {said[:2]}" for what, wrong in checks.items() if wrong]


def _rejected(batches: list) -> int:
    return sum(len(batch.rejects) for batch in batches)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("style", STYLES)
def test_no_value_is_admitted_that_did_not_stand_there_and_it_is_said_what_is_wrong(
    style: str, part: str
) -> None:
    source = table(4)
    pollution = Pollution(tuple(NAMES), source, STYLES[style])
    made = (
        [one for row in range(5) for one in pollution.rows(row)]
        if part == "rows"
        else getattr(pollution, part)()
    )
    assert [fault for polluted in made for fault in faults(polluted, source)] == []


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_nor_at_any_row_and_column_of_a_longer_file(style: str) -> None:
    source = table(MANY - 1)
    pollution = Pollution(tuple(NAMES), source, STYLES[style])
    assert [fault for polluted in pollution.everything() for fault in faults(polluted, source)] == []
