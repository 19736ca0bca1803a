"""Policies without an orchestrator: a plain LightGBM trained once, or anew each month, on all months so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from commands.backtest.history import Called, Clients, Floats
from commands.backtest.walk import Scores
from shared.domain.tables.contract import Column

PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 20,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "seed": 1,
    "verbosity": -1,
}
TREES = 150
LEAST_DEPOSITS = 5
"""With fewer there is nothing to learn yet."""


class Retrained:
    """Trained anew after each month, or until `months` are over and then never again."""

    def __init__(self, name: str, features: Sequence[Column], *, months: int | None = None) -> None:
        self.name = name
        self._features, self._months = tuple(features), months
        self._rows: list[Floats] = []
        self._answers: list[Floats] = []
        self._model: Any = None

    def score(self, clients: Clients) -> Scores:
        if self._model is None:
            return Scores(probabilities=None)
        rows = matrix(clients, self._features)
        probabilities: Floats = self._model.predict(rows, num_threads=1)
        return Scores(probabilities=probabilities)

    def learn(self, called: Called) -> Mapping[str, Any]:
        """The newest model answers from now on."""
        number = called.clients.number
        if self._months is None or number <= self._months:
            self._rows.append(matrix(called.clients, self._features))
            self._answers.append(called.answers)
            if self._months in (None, number):
                self._model = self._trained()
        return {}

    def _trained(self) -> Any:
        import lightgbm

        answers = np.concatenate(self._answers)
        if not LEAST_DEPOSITS <= answers.sum() <= len(answers) - LEAST_DEPOSITS:
            return self._model
        words = [place for place, feature in enumerate(self._features) if feature.type == "category"]
        rows = lightgbm.Dataset(np.concatenate(self._rows), answers, categorical_feature=words)
        return lightgbm.train(PARAMETERS, rows, TREES)


def matrix(clients: Clients, features: Sequence[Column]) -> Floats:
    """A row for each client; a category is its place in the contract, `unknown` is missing."""
    columns = list(zip(*clients.rows, strict=True))
    found = [_encoded(feature, columns[clients.columns.index(feature.name)]) for feature in features]
    return np.column_stack(found)


def _encoded(feature: Column, texts: Sequence[str]) -> Floats:
    if feature.type != "category":
        return np.array(texts, dtype=np.float64)
    known = sorted(value for value in feature.values if value != "unknown")
    places = {value: float(place) for place, value in enumerate(known)}
    return np.array([places.get(text, np.nan) for text in texts])
