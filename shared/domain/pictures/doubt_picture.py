"""The picture of a doubt about rows: what was expected, what came, and what would have been plausible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.pictures.chart import WRAPPED, Bar, Scale, drawn

FROM_0_TO_1 = Scale(place=lambda value: value, ticks=[(tick / 4, f"{tick / 4:g}") for tick in range(5)])


def doubt_picture(version: str, doubts: Sequence[Mapping[str, Any]]) -> str:
    """version: the dataset version's id; doubts: `kinds.doubt.RowsInDoubt`, those without figures in words alone"""
    title = f"The rows that came in with {version}: {len(doubts)} things are not plausible"
    if len(doubts) == 1:
        title = f"The rows that came in with {version} are not plausible: {doubts[0]['kind']}"
    about = "Blue field: what would have been plausible. Blue line: what was expected. Red: what came."
    bars = [_bar(doubt) for doubt in doubts if doubt.get("measure")]
    below = [*(f"{doubt['kind']}: {doubt['reason']}." for doubt in doubts), *_remedies(doubts)]
    return drawn(title[:WRAPPED], about, FROM_0_TO_1, bars, below)


def _bar(doubt: Mapping[str, Any]) -> Bar:
    expected = doubt.get("expected")
    awaited = "" if expected is None else f", expected {expected:.3f}"
    return Bar(
        label=doubt["measure"],
        value=doubt["came"],
        low=doubt.get("plausible_low"),
        high=doubt.get("plausible_high"),
        expected=expected,
        beyond=True,
        says=f"{doubt['came']:.3f}{awaited}",
    )


def _remedies(doubts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Once: it is the same for all of them."""
    found = dict.fromkeys(doubt["remedy"] for doubt in doubts if doubt.get("remedy"))
    return [f"{remedy[:1].upper()}{remedy[1:]}." for remedy in found]
