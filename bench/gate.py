"""The recipe gate over simulated drops: how often a recipe is changed for nothing, and how soon for a better one.

Each season has 26 drops of 1,584 rows, as many as a month of the bank's data has on average. A challenger's difference of
log loss is drawn for each drop: around nothing, 2 % better or 2 % worse, with the spread of its rows, and with what a
month of its own adds (its rows are alike). Beside it, on the same seasons: the rule that most would write, a paired test
at 95 % on all rows so far, asked at every drop.
"""

from __future__ import annotations

import argparse
import math
import random
from datetime import UTC, datetime
from typing import Any

from bench.goals import goals_table, machine_line
from commands.setup.machine import load, machine
from shared.domain.models.recipe_gate import ALIKE, Drop, choose

DROPS, ROWS, LOSS, SPREAD = 26, 1584, 0.28, 0.05
"""Spread: of a row's difference between two recipes of the same kind, in nats."""
FALSE_CHANGE = 0.05
LIVE, OTHER = "live", "challenger"
Z = 1.645
"""One-sided, at 95 %."""


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--seasons", type=int, default=1000)
    made.add_argument("--seed", type=int, default=20080501)


def run(given: argparse.Namespace) -> dict[str, Any]:
    load_before = load()
    chance = random.Random(given.seed)
    cases = {
        "no better": simulate(0.0, given.seasons, chance),
        "no better, months twice as unlike as assumed": simulate(0.0, given.seasons, chance, alike=2 * ALIKE),
        "2 % better": simulate(-0.02 * LOSS, given.seasons, chance),
        "2 % worse": simulate(0.02 * LOSS, given.seasons, chance),
    }
    better = cases["2 % better"]["gate"]
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
        "seasons": given.seasons,
        "drops": DROPS,
        "rows": ROWS,
        "cases": cases,
        "goals": [
            _at_most(
                "an equal recipe is ever taken: at most 5 % of seasons",
                cases["no better"]["gate"]["ever"],
                0.05,
            ),
            {
                "goal": "one 2 % better is taken within 3 drops: at least 80 % of seasons",
                "measured": better["within3"],
                "met": better["within3"] >= 0.8,
            },
            _at_most("one 2 % worse is ever taken: at most 0.5 %", cases["2 % worse"]["gate"]["ever"], 0.005),
        ],
    }


def _at_most(goal: str, measured: float, most: float) -> dict[str, Any]:
    return {"goal": goal, "measured": measured, "met": measured <= most}


def simulate(
    mean: float, seasons: int, chance: random.Random, *, alike: float = ALIKE
) -> dict[str, dict[str, float]]:
    """The share of seasons in which each rule changes to the challenger: ever, and within three drops."""
    taken: dict[str, list[int]] = {"gate": [], "repeated test": []}
    for _ in range(seasons):
        means = [mean + chance.gauss(0, SPREAD * math.sqrt(1 / ROWS + alike)) for _ in range(DROPS)]
        for rule, first in (("gate", _gate(means)), ("repeated test", _repeated_test(means))):
            taken[rule] += [first] if first else []
    return {
        rule: {
            "ever": len(at) / seasons,
            "within3": sum(drop <= 3 for drop in at) / seasons,
        }
        for rule, at in taken.items()
    }


def _gate(means: list[float]) -> int | None:
    """The drop after which the challenger is live."""
    drops = [_drop(version, mean) for version, mean in enumerate(means, start=1)]
    for seen in range(1, len(drops) + 1):
        found = choose(drops[:seen], live=LIVE, since=0, challengers=[OTHER], false_change=FALSE_CHANGE)
        if found.replaced:
            return seen
    return None


def _drop(version: int, mean: float) -> Drop:
    spread = ((SPREAD**2, 0.0), (0.0, 0.0))
    return Drop(
        version=version, rows=ROWS, recipes=(LIVE, OTHER), losses=(LOSS, LOSS + mean), covariance=spread
    )


def _repeated_test(means: list[float]) -> int | None:
    for seen in range(1, len(means) + 1):
        error = SPREAD / math.sqrt(ROWS * seen)
        if sum(means[:seen]) / seen < -Z * error:
            return seen
    return None


def show(results: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    made = Table(
        title=f"Seasons of {results['drops']} drops in which the recipe is changed", title_justify="left"
    )
    made.add_column("the challenger is")
    for column in ("gate, ever", "within 3 drops", "repeated test, ever", "within 3 drops "):
        made.add_column(column, justify="right")
    for case, rules in results["cases"].items():
        figures = [rules[rule][name] for rule in ("gate", "repeated test") for name in ("ever", "within3")]
        made.add_row(case, *(f"{figure:.1%}" for figure in figures))
    console = Console()
    console.print(made)
    console.print(goals_table(results))
    console.print(machine_line(results))
