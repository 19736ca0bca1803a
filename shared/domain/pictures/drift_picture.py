"""The picture of drift: the columns of an upload or a batch by how far they moved, each with its limit; and the money."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.drift.retrain import SURE
from shared.domain.lists.list_drift import MOST_KEPT
from shared.domain.pictures.chart import WRAPPED, Bar, Scale, drawn

Json = Mapping[str, Any]
SMALLEST = 0.001
"""The left end: an index below it is none."""
TICKS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)


def drift_picture(name: str, values: Json) -> str:
    """name: of the file; values: of its record, an upload's or a batch's, as far as drift is known"""
    columns = (values.get("column_drift") or values.get("drift") or [])[:MOST_KEPT]
    scores = values.get("score_drift")
    rows = [
        *([{**scores, "column": "the scores", "new_share": 0.0}] if scores else []),
        *columns,
    ]
    model = values.get("drift_model_version") or values.get("model_version")
    moved = sum(bool(column["moved"]) for column in columns)
    of = f"the {MOST_KEPT} furthest" if len(columns) == MOST_KEPT else f"{len(columns)}"
    title = f"{name} and what model {model} learned: {moved} of {of} columns moved"
    about = (
        "Population stability index, logarithmic. Blue field: what it may be, by chance and by what matters."
    )
    bars = [_bar(row) for row in rows]
    return drawn(title[:WRAPPED], about, _scale(rows), bars, sentences(values))


def _scale(rows: Sequence[Json]) -> Scale:
    largest = max([1.0, *(max(row["psi"], row["limit"]) for row in rows)]) * 1.3
    wide = math.log(largest / SMALLEST)
    ticks = [(tick, f"{tick:g}") for tick in TICKS if tick <= largest]
    return Scale(place=lambda value: math.log(max(value, SMALLEST) / SMALLEST) / wide, ticks=ticks)


def _bar(row: Json) -> Bar:
    new = f", {row['new_share']:.0%} new" if row["new_share"] >= 0.005 else ""
    return Bar(
        label=row["column"],
        value=row["psi"],
        low=None,
        high=row["limit"],
        beyond=row["moved"],
        says=f"{row['psi']:.3f}, limit {row['limit']:.3f}{new}",
    )


def sentences(values: Json) -> list[str]:
    """What is said in money, in words; and what is not, and why."""
    cost = values.get("drift_cost")
    if not cost:
        problem = values.get("drift_problem")
        return [f"In money nothing is said: {problem}."] if problem else []
    return [*_worth(cost), *_loss(cost)]


def _worth(cost: Json) -> list[str]:
    if cost.get("judged_worth_per_client") is None:
        return []
    return [
        f"Its {cost['rows']:,} clients are worth {cost['worth_per_client']:.2f} each by their scores, where the held-out"
        f" ones brought {cost['judged_worth_per_client']:.2f}: a difference of {cost['worth_difference_low']:+.2f} to"
        f" {cost['worth_difference_high']:+.2f}."
    ]


def _loss(cost: Json) -> list[str]:
    if cost.get("loss") is None:
        return [f"What the model loses on them is not said: {cost['not_said_because']}."]
    found = [
        f"By {cost['answers']:,} answers that came since it learned, the model loses {_money(cost, 'loss')} on them"
        f"{'' if cost['loss_probability'] >= SURE else ', and it may as well be nothing'}."
    ]
    if cost.get("loss_ahead") is None:
        return [*found, f"{cost['not_said_because'][:1].upper()}{cost['not_said_because'][1:]}."]
    return [
        *found,
        f"Until the next retrain, in about {cost['ahead_days']:.3g} days and {cost['ahead_clients']:,} clients: "
        f"{_money(cost, 'loss_ahead')}.",
    ]


def _money(cost: Json, figure: str) -> str:
    return f"{cost[figure]:,.0f} [{cost[f'{figure}_low']:,.0f}, {cost[f'{figure}_high']:,.0f}]"
