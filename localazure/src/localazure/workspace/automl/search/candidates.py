"""What to try next: each algorithm as it comes first, then the neighbours of what did well, and some strangers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

_FOREST = {"boosting": "rf", "bagging_freq": 1}
_CATEGORIES = {"cat_smooth": 30.0, "cat_l2": 30.0}
"""A category with few rows is hardly told apart from others."""
_FIRST: dict[str, dict[str, Any]] = {
    "LightGBM": _CATEGORIES | {
        "learning_rate": 0.05, "num_leaves": 20, "min_data_in_leaf": 40, "feature_fraction": 0.5, "lambda_l2": 0.1,
        "bagging_fraction": 0.8, "bagging_freq": 1,
    },
    "LogisticRegression": {"C": 1.0},
    "RandomForest": _FOREST | _CATEGORIES | {
        "rounds": 100, "num_leaves": 128, "min_data_in_leaf": 10, "bagging_fraction": 0.63,
        "feature_fraction_bynode": 0.4,
    },
    "ExtremeRandomTrees": _FOREST | _CATEGORIES | {
        "rounds": 100, "num_leaves": 128, "min_data_in_leaf": 10, "bagging_fraction": 0.9,
        "feature_fraction_bynode": 0.6, "extra_trees": True,
    },
}  # fmt: skip
_OF_CATEGORIES = {"cat_smooth": (3.0, 100.0), "cat_l2": (3.0, 100.0)}
_RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "LightGBM": _OF_CATEGORIES | {
        "learning_rate": (0.03, 0.1), "num_leaves": (6, 64), "min_data_in_leaf": (10, 160),
        "feature_fraction": (0.25, 1.0), "lambda_l2": (0.01, 30), "bagging_fraction": (0.5, 1.0),
    },
    "LogisticRegression": {"C": (0.001, 100)},
    "RandomForest": _OF_CATEGORIES | {
        "rounds": (60, 150), "num_leaves": (32, 255), "min_data_in_leaf": (5, 50),
        "bagging_fraction": (0.4, 0.9), "feature_fraction_bynode": (0.15, 0.9),
    },
    "ExtremeRandomTrees": _OF_CATEGORIES | {
        "rounds": (60, 150), "num_leaves": (32, 255), "min_data_in_leaf": (5, 50),
        "bagging_fraction": (0.5, 0.95), "feature_fraction_bynode": (0.2, 1.0),
    },
}  # fmt: skip
_WHOLE = ("rounds", "num_leaves", "min_data_in_leaf")
_STRANGERS = 0.35
"""The share of trials that do not start from a good one."""
_ODDS = {"LightGBM": 6, "LogisticRegression": 1, "RandomForest": 2, "ExtremeRandomTrees": 1}
"""How often strangers are of each algorithm: those with more to choose, and more often the best, more often."""
_NEAR = 0.25
"""How far a neighbour may be, as a share of a parameter's range."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    algorithm: str
    parameters: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A candidate that was tried, and how well it did (more is better)."""

    candidate: Candidate
    score: float


def next_candidate(number: int, algorithms: tuple[str, ...], seen: list[Seen], seed: int) -> Candidate:
    """The same for the same history, so that a search can be repeated."""
    if number < len(algorithms):
        return Candidate(algorithm=algorithms[number], parameters=_FIRST[algorithms[number]])
    chance = np.random.default_rng([seed, number])
    if not seen or chance.random() < _STRANGERS:
        odds = np.array([_ODDS[one] for one in algorithms], dtype=float)
        algorithm = algorithms[chance.choice(len(algorithms), p=odds / odds.sum())]
        return Candidate(algorithm=algorithm, parameters=_drawn(algorithm, chance))
    ranked = sorted(seen, key=lambda one: one.score, reverse=True)
    good = ranked[min(len(ranked) - 1, int(chance.integers(3)))].candidate
    return Candidate(algorithm=good.algorithm, parameters=_beside(good, chance))


def _drawn(algorithm: str, chance: np.random.Generator) -> dict[str, Any]:
    drawn = {name: _at(name, limits, chance.random()) for name, limits in _RANGES[algorithm].items()}
    return _FIRST[algorithm] | drawn


def _beside(good: Candidate, chance: np.random.Generator) -> dict[str, Any]:
    moved: dict[str, Any] = {}
    for name, (least, most) in _RANGES[good.algorithm].items():
        place = math.log(good.parameters[name] / least) / math.log(most / least)
        moved[name] = _at(name, (least, most), min(1.0, max(0.0, place + chance.normal() * _NEAR)))
    return good.parameters | moved


def _at(name: str, limits: tuple[float, float], place: float) -> float | int:
    """On a logarithmic scale from 0 to 1."""
    value = limits[0] * (limits[1] / limits[0]) ** place
    return round(value) if name in _WHOLE else float(f"{value:.4g}")
