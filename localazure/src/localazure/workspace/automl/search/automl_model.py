"""A classifier that the embedded AutoML search made. Copied into each model's folder; needs numpy and LightGBM.

    model = automl_model.load("mlflow-model/data")
    model.predict({"age": [41, 29], "job": ["admin.", None]})

No pickle: trees are LightGBM's own text files, everything else is `model.json`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Columns = Mapping[str, Sequence[Any] | np.ndarray]


class Features:
    """How columns become numbers; learnt on training rows, kept as JSON."""

    def __init__(self, spec: list[dict[str, Any]]) -> None:
        self.spec = spec

    def matrix(self, columns: Columns, *, scaled: bool) -> np.ndarray:
        """Rows by features. `scaled`: nothing missing, mean 0 and deviation 1, as linear models want it."""
        missing = [one["name"] for one in self.spec if one["name"] not in columns]
        if missing:
            raise ValueError(f"columns are missing: {', '.join(missing)}")
        parts = [self._part(one, columns[one["name"]], scaled=scaled) for one in self.spec]
        return np.column_stack(parts) if parts else np.empty((0, 0))

    def _part(self, one: dict[str, Any], values: Sequence[Any] | np.ndarray, *, scaled: bool) -> np.ndarray:
        if one["kind"] == "category":
            return _one_hot(values, one["values"])
        numbers = as_numbers(values, time=one["kind"] == "time")
        if not scaled:
            return numbers.reshape(-1, 1)
        gone = np.isnan(numbers)
        standard = (np.where(gone, one["mean"], numbers) - one["mean"]) / one["deviation"]
        return np.column_stack([standard, gone.astype(float)] if one["missing"] else [standard])


def as_numbers(values: Sequence[Any] | np.ndarray, *, time: bool = False) -> np.ndarray:
    """Floats; what is not a number (or an instant) is NaN."""
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        return values
    return np.array([_instant(value) if time else _number(value) for value in values], dtype=float)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _instant(value: Any) -> float:
    """Seconds since 1970."""
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(np.datetime64(str(value).removesuffix("Z"), "us").astype(np.int64)) / 1e6
    except ValueError:
        return math.nan


def as_word(value: Any) -> str:
    """A category; a missing one is a category too, and 1.0 is 1."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _one_hot(values: Sequence[Any] | np.ndarray, known: list[str]) -> np.ndarray:
    """A column for each known value; a value that is not known has none."""
    places = {value: place for place, value in enumerate(known)}
    found = np.zeros((len(values), len(known)))
    for row, value in enumerate(values):
        place = places.get(as_word(value))
        if place is not None:
            found[row, place] = 1.0
    return found


class Logistic:
    """A linear classifier: a row of coefficients for each class."""

    scaled = True

    def __init__(self, coefficients: np.ndarray, intercepts: np.ndarray) -> None:
        self.coefficients, self.intercepts = coefficients, intercepts

    def probabilities(self, matrix: np.ndarray) -> np.ndarray:
        scores = matrix @ self.coefficients.T + self.intercepts
        grown = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(grown / grown.sum(axis=1, keepdims=True))


class Trees:
    """LightGBM's trees: boosted, or a forest."""

    scaled = False

    def __init__(self, booster: Any, classes: int) -> None:
        self.booster, self.classes = booster, classes

    def probabilities(self, matrix: np.ndarray) -> np.ndarray:
        found = np.asarray(self.booster.predict(matrix))
        return np.column_stack([1 - found, found]) if found.ndim == 1 else found


class Model:
    """One classifier or several that vote, with weights, or whose answers another one reads (`stack`)."""

    def __init__(
        self,
        *,
        features: Features,
        labels: list[Any],
        members: list[Logistic | Trees],
        weights: list[float],
        stack: Logistic | None = None,
    ) -> None:
        self.features, self.labels, self.members, self.weights, self.stack = (
            features,
            labels,
            members,
            weights,
            stack,
        )

    def predict_proba(self, columns: Columns) -> np.ndarray:
        """Rows by classes, in the order of `labels`."""
        matrices = {
            scaled: self.features.matrix(columns, scaled=scaled)
            for scaled in {one.scaled for one in self.members}
        }
        found = [one.probabilities(matrices[one.scaled]) for one in self.members]
        return combined(found, self.weights, self.stack)

    def predict(self, columns: Columns) -> list[Any]:
        return [self.labels[place] for place in self.predict_proba(columns).argmax(axis=1)]


def combined(found: Sequence[np.ndarray], weights: Sequence[float], stack: Logistic | None) -> np.ndarray:
    """What several classifiers say together."""
    if stack is not None:
        return stack.probabilities(stacked(found))
    total = sum(weight * one for weight, one in zip(weights, found, strict=True))
    return np.asarray(total / total.sum(axis=1, keepdims=True))  # type: ignore[union-attr]


def stacked(found: Sequence[np.ndarray]) -> np.ndarray:
    """What a stack's second level reads: the logarithms of the first level's probabilities."""
    return np.column_stack([np.log(np.clip(one, 1e-6, 1.0)) for one in found])


def save(model: Model, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    members: list[dict[str, Any]] = []
    for number, (one, weight) in enumerate(zip(model.members, model.weights, strict=True)):
        if isinstance(one, Trees):
            (folder / f"trees_{number}.txt").write_text(one.booster.model_to_string(), encoding="utf-8")
            members.append({"kind": "trees", "file": f"trees_{number}.txt", "weight": weight})
        else:
            members.append({"kind": "logistic", "weight": weight, **_written(one)})
    spec = {
        "features": model.features.spec,
        "labels": model.labels,
        "members": members,
        "stack": _written(model.stack) if model.stack else None,
    }
    (folder / "model.json").write_text(json.dumps(spec, indent=1), encoding="utf-8")


def _written(one: Logistic) -> dict[str, Any]:
    return {"coefficients": one.coefficients.tolist(), "intercepts": one.intercepts.tolist()}


def load(folder: str | Path) -> Model:
    """From the folder that holds `model.json`."""
    spec = json.loads((Path(folder) / "model.json").read_text(encoding="utf-8"))
    return Model(
        features=Features(spec["features"]),
        labels=spec["labels"],
        members=[_read(one, Path(folder), len(spec["labels"])) for one in spec["members"]],
        weights=[one["weight"] for one in spec["members"]],
        stack=_logistic(spec["stack"]) if spec["stack"] else None,
    )


def _read(one: dict[str, Any], folder: Path, classes: int) -> Logistic | Trees:
    if one["kind"] == "logistic":
        return _logistic(one)
    import lightgbm

    return Trees(lightgbm.Booster(model_str=(folder / one["file"]).read_text(encoding="utf-8")), classes)


def _logistic(one: dict[str, Any]) -> Logistic:
    return Logistic(np.array(one["coefficients"]), np.array(one["intercepts"]))


class _ForMlflow:
    """What `mlflow.pyfunc.load_model` gives back."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, frame: Any, params: Any = None) -> np.ndarray:
        """`frame`: a pandas DataFrame, or columns by name."""
        columns = {name: list(frame[name]) for name in (one["name"] for one in self.model.features.spec)}
        return np.array(self.model.predict(columns))


def _load_pyfunc(path: str) -> _ForMlflow:
    """MLflow's entry: `path` is the folder named `data` in MLmodel."""
    return _ForMlflow(load(path))
