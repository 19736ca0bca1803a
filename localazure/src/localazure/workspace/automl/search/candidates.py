"""What to try next: each algorithm as it comes first, then the neighbours of what did well, and some strangers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

_FOREST = {"boosting": "rf", "bagging_freq": 1}
_FIRST: dict[str, dict[str, Any]] = {
    "LightGBM": {
        "rounds": 100, "learning_rate": 0.1, "num_leaves": 31, "min_data_in_leaf": 20, "feature_fraction": 0.9,
        "lambda_l2": 0.1,
    },
    "LogisticRegression": {"C": 1.0},
    "RandomForest": _FOREST | {
        "rounds": 100, "num_leaves": 64, "min_data_in_leaf": 5, "bagging_fraction": 0.63,
        "feature_fraction_bynode": 0.4,
    },
    "ExtremeRandomTrees": _FOREST | {
        "rounds": 100, "num_leaves": 64, "min_data_in_leaf": 5, "bagging_fraction": 0.9,
        "feature_fraction_bynode": 0.6, "extra_trees": True,
    },
}  # fmt: skip
_RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "LightGBM": {
        "rounds": (40, 400), "learning_rate": (0.02, 0.3), "num_leaves": (7, 127), "min_data_in_leaf": (5, 100),
        "feature_fraction": (0.4, 1.0), "lambda_l2": (0.001, 10),
    },
    "LogisticRegression": {"C": (0.001, 100)},
    "RandomForest": {
        "rounds": (60, 250), "num_leaves": (16, 255), "min_data_in_leaf": (2, 50),
        "bagging_fraction": (0.4, 0.9), "feature_fraction_bynode": (0.15, 0.9),
    },
    "ExtremeRandomTrees": {
        "rounds": (60, 250), "num_leaves": (16, 255), "min_data_in_leaf": (2, 50),
        "bagging_fraction": (0.5, 0.95), "feature_fraction_bynode": (0.2, 1.0),
    },
}  # fmt: skip
_WHOLE = ("rounds", "num_leaves", "min_data_in_leaf")
_STRANGERS = 0.35
"""The share of trials that do not start from a good one."""
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
        algorithm = algorithms[chance.integers(len(algorithms))]
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
