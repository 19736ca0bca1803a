"""Drift limits and the expected loss, on simulated lists: how often they say something where nothing changed, and where it
did.

Lists of several sizes are drawn from the very rows that a model learned from, or from rows that moved: sixteen columns of
2 to 12 groups, as a bank's have. Beside the limit that knows how many rows there are stands the fixed one that is usual
(an index of 0.1), on the same lists. The loss is estimated on answers of a model that is right, or off by a given number
of log-odds, and held against what the mended decisions truly save in the month after, whose level is another.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.goals import goals_table, machine_line
from commands.setup.machine import load, machine
from shared.domain.drift.expected_loss import MONTHS_DIFFER, Money, expected_loss
from shared.domain.drift.recalibration import recalibration
from shared.domain.drift.retrain import SURE
from shared.domain.drift.score_places import ScorePlaces, log_odds, probability_of
from shared.domain.lists.list_drift import MATTERS, list_drift, score_drift

Floats = npt.NDArray[np.float64]
GROUPS = (2, 2, 3, 3, 4, 5, 7, 8, 10, 10, 10, 10, 10, 10, 12, 12)
LEARNED, HELD_OUT, SIZES, YEAR = 20_000, 2_000, (100, 300, 1_000, 10_000), 12
"""Rows that were learned from, and held out, rows of a list, lists in a year."""
MOVED = 0.15
"""Index of a column that moved."""
ANSWERS = 1_500
OFF = (0.0, 0.3, 0.6, 1.0, 1.5, -0.8, -1.5)
MONEY = Money(call_cost=10, deposit_value=80)


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--lists", type=int, default=2000)
    made.add_argument("--seed", type=int, default=20080501)


def run(given: argparse.Namespace) -> dict[str, Any]:
    load_before = load()
    chance = np.random.default_rng(given.seed)
    columns = {size: _columns(size, given.lists, chance) for size in SIZES}
    loss = {off: _losses(off, max(given.lists // 4, 1), chance) for off in OFF}
    year = max(each["alarms"] * YEAR for each in columns.values())
    sure = loss[0.0]["said"]
    held = min(each["held"] for off, each in loss.items() if abs(off) >= 0.6)
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
        "lists": given.lists,
        "columns": columns,
        "loss": loss,
        "goals": [
            _goal("lists of steady data with an alarm, in a year of 12: at most 1", year, year <= 1),
            _goal("a model that is right is said to lose, four to one: at most 2.5 %", sure, sure <= 0.025),
            _goal("the interval of 95 % holds what is saved next month: at least 90 %", held, held >= 0.9),
        ],
    }


def _goal(goal: str, measured: float, met: bool) -> dict[str, Any]:
    return {"goal": goal, "measured": round(measured, 4), "met": met}


def _columns(size: int, lists: int, chance: np.random.Generator) -> dict[str, float]:
    """Shares of lists: with any column said to have moved, where none did; the same by the fixed limit; and of one that did
    those that are found."""
    shares = [chance.dirichlet(np.full(groups, 3.0)) for groups in GROUPS]
    learned = _profile(shares, chance)
    alarms = fixed = scores = found = 0
    moved = _moved(shares[-1], chance)
    for _ in range(lists):
        drawn = list_drift(_list(shares, size, chance), learned)
        alarms += any(one["moved"] for one in drawn)
        fixed += any(one["psi"] > MATTERS for one in drawn)
        scores += _scores_moved(size, chance)
        (one,) = list_drift(_list([moved], size, chance, first=len(GROUPS) - 1), learned)
        found += one["moved"]
    return {
        "alarms": alarms / lists,
        "fixed": fixed / lists,
        "scores": scores / lists,
        "found": found / lists,
    }


def _scores_moved(size: int, chance: np.random.Generator) -> bool:
    """Whether a list's scores are said to have moved, where they did not: its tenths are those of the held-out rows."""
    cuts = np.quantile(chance.random(HELD_OUT), np.arange(1, 10) / 10)
    counts = chance.multinomial(size, np.diff([0, *cuts, 1]))
    found = score_drift(counts.tolist(), {"evaluation": {"rows": HELD_OUT}})
    return bool(found and found["moved"])


def _profile(shares: list[Floats], chance: np.random.Generator) -> dict[str, Any]:
    counts = [chance.multinomial(LEARNED, each) for each in shares]
    return {
        "rows": LEARNED,
        "columns": [
            {"name": str(n), "shares": [*(each / LEARNED).tolist(), 0.0]} for n, each in enumerate(counts)
        ],
    }


def _list(
    shares: list[Floats], size: int, chance: np.random.Generator, *, first: int = 0
) -> list[dict[str, Any]]:
    return [
        {"name": str(first + n), "counts": [*chance.multinomial(size, each).tolist(), 0]}
        for n, each in enumerate(shares)
    ]


def _moved(shares: Floats, chance: np.random.Generator) -> Floats:
    """The same groups with other shares, the index of which is about `MOVED`."""
    direction = chance.standard_normal(len(shares))
    low, high = 0.0, 5.0
    for _ in range(50):
        middle = (low + high) / 2
        other = shares * np.exp(middle * direction)
        other = other / other.sum()
        index = float(((other - shares) * np.log(other / shares)).sum())
        low, high = (middle, high) if index < MOVED else (low, middle)
    return np.asarray(other, dtype=np.float64)


def _losses(off: float, trials: int, chance: np.random.Generator) -> dict[str, float]:
    """How often a loss is four times as likely as none, how often its interval holds what comes of it next month, and both
    in the mean."""
    said = held = 0
    estimates, truths = [], []
    for _ in range(trials):
        clients = probability_of(chance.normal(-2, 1.2, 2000))
        called = MONEY.of_calls(clients) > 0
        asked, seen = ScorePlaces(), ScorePlaces()
        asked.add(clients, called)
        others = probability_of(chance.normal(-2, 1.2, ANSWERS))
        seen.add(others, chance.random(ANSWERS) < probability_of(off + log_odds(others)))
        found = expected_loss(asked, seen, MONEY)
        line = recalibration(seen).line
        better = MONEY.of_calls(probability_of(line[0] + line[1] * log_odds(clients))) > 0
        next_month = off + chance.normal(0, MONTHS_DIFFER)
        worth = MONEY.of_calls(probability_of(next_month + log_odds(clients)))
        truth = float(worth[better].sum() - worth[called].sum())
        said += found.probability >= SURE
        held += found.low <= truth <= found.high
        estimates.append(found.loss)
        truths.append(truth)
    return {
        "said": said / trials,
        "held": held / trials,
        "estimated": round(float(np.mean(estimates)), 1),
        "saved": round(float(np.mean(truths)), 1),
    }


def show(results: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    columns = Table(title="Shares of lists", title_justify="left")
    for name in (
        "rows",
        "an alarm, nothing moved",
        "by a fixed 0.1",
        "scores, nothing moved",
        "a column found",
    ):
        columns.add_column(name, justify="right")
    for size, found in results["columns"].items():
        figures = (found[name] for name in ("alarms", "fixed", "scores", "found"))
        columns.add_row(f"{int(size):,}", *(f"{figure:.2%}" for figure in figures))
    losses = Table(title="The expected loss on 2,000 clients", title_justify="left")
    for name in (
        "off by, log-odds",
        "four to one a loss",
        "interval holds it",
        "estimated",
        "saved next month",
    ):
        losses.add_column(name, justify="right")
    for off, found in results["loss"].items():
        figures = (f"{found[name]:.1%}" for name in ("said", "held"))
        losses.add_row(str(off), *figures, f"{found['estimated']:,.0f}", f"{found['saved']:,.0f}")
    console = Console()
    console.print(columns)
    console.print(losses)
    console.print(goals_table(results))
    console.print(machine_line(results))
