"""Plausibility of a list of clients: which of its columns lie so far from all a model learned that a person must look.

A new month is legitimately unlike the months before it: the economy's columns hold values that were never seen, and
the month itself has a new name. What is looked for are errors of the file: a decimal point read as one of thousands,
another unit, a lost sign. These move a column by orders of magnitude, or mirror it, which no month does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

ORDERS_AWAY = 2
"""From all orders of magnitude that were learned: an error of thousands moves a value by three, a bad year by one."""
RANGES_AWAY = 3
"""Widths of the learned range beyond its ends."""
LEAST_RANGE = 0.5
"""Of the largest number learned: the width that counts, at least. The first months may know one value of a column."""
MOST_SHARE = 0.05
"""Of a list's rows that may lie so far away, each by itself: single odd clients hold no list up."""
ZERO = "zero"
"""The order of magnitude of nothing, which is far from none."""


def reach(learned: Mapping[str, Any]) -> tuple[float, float]:
    """Between which numbers a column's values are near enough to what was learned. learned: of a model's profile"""
    low, high = learned["minimum"], learned["maximum"]
    width = RANGES_AWAY * max(high - low, LEAST_RANGE * max(abs(low), abs(high)))
    return low - width, high + width


def mirror(learned: Mapping[str, Any]) -> tuple[float, float] | None:
    """Between which numbers a value lies where its sign was lost; None where both signs, or nothing, were learned."""
    low, high = learned["minimum"], learned["maximum"]
    return (-high, -low) if low > 0 or high < 0 else None


def implausible(columns: Iterable[Mapping[str, Any]], learned: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns that are off, each with what was seen and what was learned: the fields of `kinds.batch.HeldColumn`.

    columns: as `column_tally.ColumnTally` counts them; learned: the model's profile; one that says nothing of the range of
        its numbers was made before this was looked at, and finds nothing
    """
    known = {column["name"]: column for column in learned.get("columns", ())}
    found = (_found(column, known.get(column["name"], {})) for column in columns if column.get("orders"))
    return [one for one in found if one]


def _found(seen: Mapping[str, Any], learned: Mapping[str, Any]) -> dict[str, Any] | None:
    if not learned.get("orders"):
        return None
    rows = sum(seen["counts"])
    away = _orders_away(seen["orders"], learned["orders"])
    shares = {"magnitude": away / rows, "range": seen["far"] / rows, "sign": seen["mirrored"] / rows}
    rule = next((rule for rule, share in shares.items() if share > MOST_SHARE), None)
    if rule is None:
        return None
    between = f"{seen['minimum']:g} to {seen['maximum']:g}"
    before = f"{learned['minimum']:g} to {learned['maximum']:g}"
    says = {
        "magnitude": "at least a hundred times larger or smaller than any that was learned",
        "range": "far outside what was learned",
        "sign": "what was learned with the other sign",
    }[rule]
    return {
        "column": seen["name"],
        "rule": rule,
        "share": shares[rule],
        "reason": f"{seen['name']}: {shares[rule]:.0%} of the rows are {says}: {between} here, {before} there",
        "minimum": seen["minimum"],
        "maximum": seen["maximum"],
        "learned_minimum": learned["minimum"],
        "learned_maximum": learned["maximum"],
        "orders": _side_by_side(seen["orders"], learned["orders"]),
    }


def _orders_away(seen: Mapping[str, int], learned: Mapping[str, int]) -> int:
    """Rows whose order of magnitude is far from every one that was learned."""
    known = [int(order) for order in learned if order != ZERO]
    return sum(
        rows
        for order, rows in seen.items()
        if order != ZERO and known and min(abs(int(order) - one) for one in known) >= ORDERS_AWAY
    )


def _side_by_side(seen: Mapping[str, int], learned: Mapping[str, int]) -> list[dict[str, Any]]:
    """By order of magnitude the share of the rows here and there: the picture's data."""
    return [
        {"order": order, "share": _share(order, seen), "learned_share": _share(order, learned)}
        for order in sorted({*seen, *learned}, key=_place)
    ]


def _share(order: str, counts: Mapping[str, int]) -> float:
    return counts.get(order, 0) / max(sum(counts.values()), 1)


def _place(order: str) -> float:
    return float("-inf") if order == ZERO else int(order)


def reasons(columns: Iterable[Mapping[str, Any]]) -> str:
    """Why a list is held, in a sentence or more."""
    return "; ".join(column["reason"] for column in columns)
