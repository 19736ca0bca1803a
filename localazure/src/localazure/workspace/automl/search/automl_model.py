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
PROBABILITIES, LABELS = "predict_proba", "predict"
_LEAST = 1e-6
"""A probability is never nothing: what no leaf has seen may happen all the same."""


class Features:
    """How columns become numbers; learnt on training rows, kept as JSON."""

    def __init__(self, spec: list[dict[str, Any]]) -> None:
        self.spec = spec

    @property
    def categories(self) -> list[int]:
        """Places of the categories among the columns of a matrix that is not scaled."""
        return [place for place, one in enumerate(self.spec) if one["kind"] == "category"]

    def matrix(self, columns: Columns, *, scaled: bool) -> np.ndarray:
        """Rows by features: categories by their number, as trees read them, and NaN for what is missing or new.

        scaled: as linear models read them, a column for each category, nothing missing, mean 0 and deviation 1
        """
        missing = [one["name"] for one in self.spec if one["name"] not in columns]
        if missing:
            raise ValueError(f"columns are missing: {', '.join(missing)}")
        parts = [self._part(one, columns[one["name"]], scaled=scaled) for one in self.spec]
        return np.column_stack(parts) if parts else np.empty((0, 0))

    def _part(self, one: dict[str, Any], values: Sequence[Any] | np.ndarray, *, scaled: bool) -> np.ndarray:
        if one["kind"] == "category":
            codes = _codes(values, one["values"])
            return _one_hot(codes, len(one["values"])) if scaled else codes.reshape(-1, 1)
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


def _codes(values: Sequence[Any] | np.ndarray, known: list[str]) -> np.ndarray:
    """The number of each value; NaN for one that is not known."""
    places = {value: float(place) for place, value in enumerate(known)}
    return np.array([places.get(as_word(value), math.nan) for value in values], dtype=float)


def _one_hot(codes: np.ndarray, count: int) -> np.ndarray:
    return np.asarray(codes[:, None] == np.arange(count), dtype=float)


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
    """Boosted trees of LightGBM."""

    scaled = False

    def __init__(self, booster: Any) -> None:
        self.boosters = [booster]

    def probabilities(self, matrix: np.ndarray) -> np.ndarray:
        found = np.asarray(self.boosters[0].predict(matrix))
        return np.column_stack([1 - found, found]) if found.ndim == 1 else found


class Forest:
    """A random forest: for each class (of two: for the second) the mean over LightGBM's trees of its share in a leaf."""

    scaled = False

    def __init__(self, boosters: Sequence[Any]) -> None:
        self.boosters = list(boosters)

    def probabilities(self, matrix: np.ndarray) -> np.ndarray:
        shares = np.column_stack([np.asarray(one.predict(matrix)) for one in self.boosters])
        shares = np.clip(shares, _LEAST, 1 - _LEAST)
        if shares.shape[1] == 1:
            return np.column_stack([1 - shares, shares])
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))


Member = Logistic | Trees | Forest


class Model:
    """One classifier or several that vote, with weights, or whose answers another one reads (`stack`).

    sharpness: of each member, see `sharpened`
    """

    def __init__(
        self,
        *,
        features: Features,
        labels: list[Any],
        members: list[Member],
        weights: list[float],
        sharpness: list[float] | None = None,
        stack: Logistic | None = None,
    ) -> None:
        self.features, self.labels, self.members = features, labels, members
        self.weights, self.sharpness, self.stack = weights, sharpness or [1.0] * len(members), stack

    def predict_proba(self, columns: Columns) -> np.ndarray:
        """Rows by classes, in the order of `labels`."""
        matrices = {
            scaled: self.features.matrix(columns, scaled=scaled)
            for scaled in {one.scaled for one in self.members}
        }
        found = [
            sharpened(one.probabilities(matrices[one.scaled]), sharp)
            for one, sharp in zip(self.members, self.sharpness, strict=True)
        ]
        return combined(found, self.weights, self.stack)

    def predict(self, columns: Columns) -> list[Any]:
        return [self.labels[place] for place in self.predict_proba(columns).argmax(axis=1)]


def sharpened(probabilities: np.ndarray, sharpness: float) -> np.ndarray:
    """Temperature scaling, by the temperature's reciprocal: 1 changes nothing, less is less sure of itself.

    source: Guo, Pleiss, Sun & Weinberger, On Calibration of Modern Neural Networks, ICML 2017
    """
    grown = np.clip(probabilities, _LEAST, 1.0) ** sharpness
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))


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
    members = []
    for number, (one, weight, sharp) in enumerate(
        zip(model.members, model.weights, model.sharpness, strict=True)
    ):
        members.append({"weight": weight, "sharpness": sharp, **_written(one, folder, f"trees_{number}")})
    spec = {
        "features": model.features.spec,
        "labels": model.labels,
        "members": members,
        "stack": _written(model.stack, folder, "stack") if model.stack else None,
    }
    (folder / "model.json").write_text(json.dumps(spec, indent=1), encoding="utf-8")


def _written(one: Member, folder: Path, stem: str) -> dict[str, Any]:
    if isinstance(one, Logistic):
        coefficients, intercepts = one.coefficients.tolist(), one.intercepts.tolist()
        return {"kind": "logistic", "coefficients": coefficients, "intercepts": intercepts}
    files = [f"{stem}_{place}.txt" for place in range(len(one.boosters))]
    for file, booster in zip(files, one.boosters, strict=True):
        (folder / file).write_text(booster.model_to_string(), encoding="utf-8")
    return {"kind": "forest" if isinstance(one, Forest) else "trees", "files": files}


def load(folder: str | Path) -> Model:
    """From the folder that holds `model.json`."""
    spec = json.loads((Path(folder) / "model.json").read_text(encoding="utf-8"))
    return Model(
        features=Features(spec["features"]),
        labels=spec["labels"],
        members=[_read(one, Path(folder)) for one in spec["members"]],
        weights=[one["weight"] for one in spec["members"]],
        sharpness=[one["sharpness"] for one in spec["members"]],
        stack=_logistic(spec["stack"]) if spec["stack"] else None,
    )


def _read(one: dict[str, Any], folder: Path) -> Member:
    if one["kind"] == "logistic":
        return _logistic(one)
    import lightgbm

    files = [(folder / file).read_text(encoding="utf-8") for file in one["files"]]
    boosters = [lightgbm.Booster(model_str=text) for text in files]
    return Forest(boosters) if one["kind"] == "forest" else Trees(boosters[0])


def _logistic(one: dict[str, Any]) -> Logistic:
    return Logistic(np.array(one["coefficients"]), np.array(one["intercepts"]))


class _ForMlflow:
    """What `mlflow.pyfunc.load_model` gives back; with the two names by which scikit-learn's classifiers are asked."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.classes_ = model.labels

    def predict(self, frame: Any, params: dict[str, Any] | None = None) -> np.ndarray:
        """Probabilities, rows by classes in the order of `classes_`; labels by `params={"method": "predict"}`.

        frame: a pandas DataFrame, or columns by name
        """
        method = (params or {}).get("method", PROBABILITIES)
        if method not in (PROBABILITIES, LABELS):
            raise ValueError(f"method {method!r}: one of {PROBABILITIES}, {LABELS}")
        if method == LABELS:
            return np.array(self.model.predict(self._columns(frame)))
        return self.predict_proba(frame)

    def predict_proba(self, frame: Any) -> np.ndarray:
        return self.model.predict_proba(self._columns(frame))

    def _columns(self, frame: Any) -> dict[str, list[Any]]:
        return {name: list(frame[name]) for name in (one["name"] for one in self.model.features.spec)}


def _load_pyfunc(path: str) -> _ForMlflow:
    """MLflow's entry: `path` is the folder named `data` in MLmodel."""
    return _ForMlflow(load(path))
