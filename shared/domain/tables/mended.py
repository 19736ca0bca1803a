"""What was mended on reading, counted by column and kind: as it is added up, and as it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain.tables.contract import Contract, Purpose
from shared.domain.tables.dialect import Header
from shared.domain.tables.header_match import renamed

Mended = Counter[tuple[str, str]]
"""How many values, by column (empty for rows and the file) and what was not as the contract has it."""
SEP_LINE = "the line above the header that names the delimiter (sep=), skipped"
MOST_TOLD = 50
"""Of what was mended, so many kinds are told: a fact is small."""


def of_header(header: Header, contract: Contract, purpose: Purpose) -> Mended:
    """What was mended in the header, and above it."""
    mended = Counter(renamed(header.names, contract, purpose)[1])
    if header.sep_line:
        mended["", SEP_LINE] = 1
    return mended


def told(mended: Mended) -> list[dict[str, Any]]:
    """For reports and facts, the most frequent first."""
    return [
        {"column": column, "how": how, "values": values}
        for (column, how), values in mended.most_common(MOST_TOLD)
    ]


def added_up(lists: Iterable[Iterable[Mapping[str, Any]]]) -> Mended:
    """What several have told."""
    mended: Mended = Counter()
    for each in lists:
        mended.update({(one["column"], one["how"]): one["values"] for one in each})
    return mended
