"""Fits one classifier: LightGBM's boosted trees and forests, or a logistic regression."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
from scipy.optimize import minimize  # type: ignore[import-untyped]

from localazure.workspace.automl.search.automl_model import Logistic, Trees

_QUIET = {"verbosity": -1, "deterministic": True, "force_row_wise": True, "seed": 7}


def fit(
    algorithm: str,
    parameters: dict[str, Any],
    matrix: np.ndarray,
    truth: np.ndarray,
    *,
    classes: int,
    weights: np.ndarray | None,
    threads: int,
) -> Logistic | Trees:
    if algorithm == "LogisticRegression":
        return logistic(matrix, truth, classes=classes, weights=weights, strength=1 / parameters["C"])
    given = (
        {key: value for key, value in parameters.items() if key != "rounds"}
        | _QUIET
        | {"num_threads": threads}
    )
    objective = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
    data = lightgbm.Dataset(matrix, label=truth, weight=weights, free_raw_data=True)
    return Trees(lightgbm.train(given | objective, data, num_boost_round=parameters["rounds"]), classes)


def logistic(
    matrix: np.ndarray, truth: np.ndarray, *, classes: int, weights: np.ndarray | None, strength: float
) -> Logistic:
    """Minimises the log loss plus `strength` / 2 times the squares of the coefficients, as scikit-learn does."""
    rows, width = matrix.shape
    aim = np.zeros((rows, classes))
    aim[np.arange(rows), truth] = 1.0
    weight = np.ones(rows) if weights is None else weights

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        all_of_them = flat.reshape(classes, width + 1)
        coefficients, intercepts = all_of_them[:, :width], all_of_them[:, width]
        probabilities = Logistic(coefficients, intercepts).probabilities(matrix)
        fall = weight[:, None] * (probabilities - aim)
        slope = np.column_stack([fall.T @ matrix + strength * coefficients, fall.sum(axis=0)])
        costs = -weight * np.log(np.clip(probabilities[np.arange(rows), truth], 1e-15, 1.0))
        return float(costs.sum() + strength / 2 * np.sum(coefficients**2)), slope.ravel()

    start = np.zeros(classes * (width + 1))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    all_of_them = found.reshape(classes, width + 1)
    return Logistic(all_of_them[:, :width], all_of_them[:, width])
