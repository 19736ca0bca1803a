"""Fits one classifier: LightGBM's boosted trees, forests of its trees, or a logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from scipy.optimize import minimize, minimize_scalar  # type: ignore[import-untyped]

from localazure.workspace.automl.search.automl_model import Forest, Logistic, Member, Trees, sharpened
from localazure.workspace.automl.search.table import Split

LINEAR = "LogisticRegression"
_QUIET = {"verbosity": -1, "deterministic": True, "force_row_wise": True}
_MOST_ROUNDS, _PATIENCE = 2000, 50
"""Of boosting: at the most, and without getting better before it ends."""
_LEAVES_AT_LEAST, _COLUMNS_OF_A_TREE = 20, 4
_SHARPEST = 4.0
_FLAT = 1e-4


@dataclass(frozen=True, kw_only=True)
class Training:
    """What a classifier is fitted on: all rows, of which it is told which.

    matrix: rows by features, scaled for a linear classifier; truth: class numbers; categories: places of columns
    """

    matrix: np.ndarray
    truth: np.ndarray
    weights: np.ndarray | None
    classes: int
    categories: list[int]
    threads: int
    seed: int


def out_of_fold(
    algorithm: str, parameters: dict[str, Any], training: Training, splits: list[Split]
) -> tuple[np.ndarray, dict[str, Any]]:
    """What models that have not seen them say of the rows that are checked on (NaN for others), and the parameters to
    fit the kept one by: of boosting, as many rounds as were best for all splits together."""
    answers = np.full((len(training.truth), training.classes), np.nan)
    members: Sequence[Member]
    if algorithm == "LightGBM":
        parameters, members = _boosted_by_split(parameters, training, splits)
    else:
        members = [fit(algorithm, parameters, training, train) for train, _ in splits]
    for (_, valid), member in zip(splits, members, strict=True):
        answers[valid] = member.probabilities(training.matrix[valid])
    return answers, parameters


def fit(algorithm: str, parameters: dict[str, Any], training: Training, rows: np.ndarray) -> Member:
    """On these rows."""
    if algorithm == LINEAR:
        weights = None if training.weights is None else training.weights[rows]
        matrix, truth = training.matrix[rows], training.truth[rows]
        return logistic(
            matrix, truth, classes=training.classes, weights=weights, strength=1 / parameters["C"]
        )
    if algorithm == "LightGBM":
        given, rounds = _boosting(parameters, training), parameters["rounds"]
        return Trees(lightgbm.train(given, _dataset(training, training.truth, rows), rounds))
    return _forest(parameters, training, rows)


def _boosted_by_split(
    parameters: dict[str, Any], training: Training, splits: list[Split]
) -> tuple[dict[str, Any], list[Trees]]:
    """All splits grow together until their mean log loss gets no better."""
    everything = _dataset(training, training.truth, np.arange(len(training.truth)))
    told = lightgbm.cv(
        _boosting(parameters, training),
        everything,
        num_boost_round=_MOST_ROUNDS,
        folds=splits,
        callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False)],
        return_cvbooster=True,
    )
    found = told["cvbooster"]
    best = [
        lightgbm.Booster(model_str=one.model_to_string(num_iteration=found.best_iteration))
        for one in found.boosters
    ]
    return parameters | {"rounds": found.best_iteration}, [Trees(one) for one in best]


def _suited(parameters: dict[str, Any], training: Training) -> dict[str, Any]:
    """LightGBM's own parameters. A small table bears smaller leaves and groups; a tree reads some columns at least."""
    rows, columns = training.matrix.shape
    small = max(2, rows // _LEAVES_AT_LEAST)
    given = {key: value for key, value in parameters.items() if key != "rounds"} | _QUIET
    for name in ("min_data_in_leaf", "cat_smooth"):
        given[name] = min(given[name], small)
    if "feature_fraction" in given:
        given["feature_fraction"] = min(1.0, max(given["feature_fraction"], _COLUMNS_OF_A_TREE / columns))
    return given | {
        "min_data_per_group": min(100, small),
        "num_threads": training.threads,
        "seed": training.seed,
    }


def _forest(parameters: dict[str, Any], training: Training, rows: np.ndarray) -> Forest:
    """By squares, of which a leaf's mean is the class's share in it: LightGBM's own forest adds up log-odds instead."""
    given = _suited(parameters, training) | {"objective": "regression"}
    of = [1] if training.classes == 2 else range(training.classes)
    aims = [np.asarray(training.truth == one, dtype=float) for one in of]
    return Forest(
        [lightgbm.train(given, _dataset(training, aim, rows), parameters["rounds"]) for aim in aims]
    )


def _boosting(parameters: dict[str, Any], training: Training) -> dict[str, Any]:
    if training.classes == 2:
        return _suited(parameters, training) | {"objective": "binary"}
    return _suited(parameters, training) | {"objective": "multiclass", "num_class": training.classes}


def _dataset(training: Training, aim: np.ndarray, rows: np.ndarray) -> lightgbm.Dataset:
    weights = None if training.weights is None else training.weights[rows]
    return lightgbm.Dataset(
        training.matrix[rows], aim[rows], weight=weights, categorical_feature=training.categories
    )


def best_sharpness(answers: np.ndarray, truth: np.ndarray) -> float:
    """With which answers on rows that were not learned from have the least log loss: their temperature, reciprocal."""

    def loss(logarithm: float) -> float:
        told = sharpened(answers, float(np.exp(logarithm)))[np.arange(len(truth)), truth]
        return float(-np.mean(np.log(told)))

    limit = np.log(_SHARPEST)
    return float(np.exp(minimize_scalar(loss, bounds=(-limit, limit), method="bounded").x))


def logistic(
    matrix: np.ndarray, truth: np.ndarray, *, classes: int, weights: np.ndarray | None, strength: float
) -> Logistic:
    """Minimises the log loss plus `strength` / 2 times the squares of the coefficients, as scikit-learn does.

    Until nothing that a mean log loss can show is left to gain: a slope of it below `_FLAT`.
    """
    rows, width = matrix.shape
    aim = np.zeros((rows, classes))
    aim[np.arange(rows), truth] = 1.0
    weight = np.ones(rows) if weights is None else weights
    whole = weight.sum()

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        all_of_them = flat.reshape(classes, width + 1)
        coefficients, intercepts = all_of_them[:, :width], all_of_them[:, width]
        probabilities = Logistic(coefficients, intercepts).probabilities(matrix)
        fall = weight[:, None] * (probabilities - aim)
        slope = np.column_stack([fall.T @ matrix + strength * coefficients, fall.sum(axis=0)])
        costs = -weight * np.log(np.clip(probabilities[np.arange(rows), truth], 1e-15, 1.0))
        return float(costs.sum() + strength / 2 * np.sum(coefficients**2)) / whole, slope.ravel() / whole

    start = np.zeros(classes * (width + 1))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300, "gtol": _FLAT}).x
    all_of_them = found.reshape(classes, width + 1)
    return Logistic(all_of_them[:, :width], all_of_them[:, width])
