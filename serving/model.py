"""A trained model's folder: how rows become numbers, and numbers probabilities and decisions.

The one place that encodes and scores: training, evaluation and the endpoint all use this module, so that a row means
the same to each. Publishing copies it beside the training steps; it therefore imports nothing of this project.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import lightgbm
import numpy as np
import numpy.typing as npt

FORMAT = 1
BOOSTER = "model.txt"
DESCRIPTION = "model.json"

Floats = npt.NDArray[np.float64]
Columns = Mapping[str, Sequence[Any]]


class ModelBroken(Exception):
    """The folder is no model, or not the one its description speaks of; the message says what to do."""


class BadValue(Exception):
    """A value that no feature of its column's type can have."""

    def __init__(self, column: str, expected: str) -> None:
        super().__init__(f"column {column!r} holds a value that is no {expected}; send {expected}s or null")


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A column the model looks at."""

    name: str
    type: str
    """integer, number or category."""
    values: tuple[str, ...] = ()
    """A category's values; the place in this order is the number the booster sees, so it is kept for ever."""

    @cached_property
    def codes(self) -> dict[str, float]:
        return {value: float(code) for code, value in enumerate(self.values)}

    def encode(self, values: Sequence[Any]) -> Floats:
        """One number a row; NaN, which the trees know as missing, for null and for a category never seen."""
        if self.type != "category":
            return _numbers(self.name, values)
        try:
            found = [self.codes.get(value, np.nan) for value in values]
        except TypeError as cause:  # a list or an object
            raise BadValue(self.name, "text") from cause
        return np.array(found, dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"name": self.name, "type": self.type}
        return {**body, "values": list(self.values)} if self.values else body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        return cls(name=body["name"], type=body["type"], values=tuple(body.get("values", ())))


def encode(features: Sequence[Feature], columns: Columns) -> Floats:
    """A fresh matrix, a row a client; columns that are no feature are not looked at."""
    rows = len(columns[features[0].name])
    matrix = np.empty((rows, len(features)), dtype=np.float64)
    for place, feature in enumerate(features):
        matrix[:, place] = feature.encode(columns[feature.name])
    return matrix


@dataclass(frozen=True, kw_only=True)
class Model:
    """A booster and what its numbers mean; safe to use from several threads at once."""

    booster: lightgbm.Booster
    features: tuple[Feature, ...]
    description: Mapping[str, Any]
    """model.json."""

    @property
    def name(self) -> str:
        return str(self.description["name"])

    @property
    def version(self) -> str:
        return str(self.description["version"])

    @property
    def threshold(self) -> float:
        """A call pays from this probability on: its cost over the value of a deposit."""
        return float(self.description["threshold"])

    @property
    def columns(self) -> list[str]:
        return [feature.name for feature in self.features]

    def probabilities(self, columns: Columns) -> Floats:
        """Of the positive answer, a row each.

        Each call has its own matrix and its own result: LightGBM's faster single-row handle is scratch space that
        two threads would overwrite for each other. One thread a call, since callers are what there are many of.
        raises: BadValue
        """
        matrix = encode(self.features, columns)
        if not len(matrix):
            return np.empty(0)
        return np.asarray(self.booster.predict(matrix, num_threads=1), dtype=np.float64)

    def decisions(self, probabilities: Floats) -> list[str]:
        return ["call" if worth else "skip" for worth in (probabilities >= self.threshold).tolist()]


def save(
    folder: Path, booster: lightgbm.Booster, features: Sequence[Feature], facts: Mapping[str, Any]
) -> None:
    """Writes text only: unlike a pickle, it cannot run code where it is loaded.

    facts: name, version, best_iteration, positive, threshold, call_cost, deposit_value, base_rate, trained_rows
    """
    text = booster.model_to_string()
    description = {
        "format": FORMAT,
        "name": facts["name"],
        "version": facts["version"],
        "features": [feature.to_json() for feature in features],
        "booster": BOOSTER,
        "booster_sha256": hashlib.sha256(text.encode()).hexdigest(),
        **facts,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BOOSTER).write_bytes(text.encode())
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1), encoding="utf-8")


def load(folder: Path) -> Model:
    """raises: ModelBroken"""
    home = _home(folder)
    description = json.loads((home / DESCRIPTION).read_text(encoding="utf-8"))
    if description.get("format") != FORMAT:
        raise ModelBroken(
            f"{home} has format {description.get('format')!r}, known is {FORMAT}; train it again"
        )
    text = (home / description["booster"]).read_bytes()
    if hashlib.sha256(text).hexdigest() != description["booster_sha256"]:
        raise ModelBroken(f"{home / description['booster']} is not what model.json describes; fetch it again")
    return Model(
        booster=lightgbm.Booster(model_str=text.decode()),
        features=tuple(Feature.from_json(feature) for feature in description["features"]),
        description=description,
    )


def _home(folder: Path) -> Path:
    """Azure ML puts a model's folder into the folder it names, sometimes one or two levels down."""
    found = [at for depth in ("", "*/", "*/*/") for at in sorted(folder.glob(depth + DESCRIPTION))]
    if not found:
        raise ModelBroken(f"{folder} holds no {DESCRIPTION}; a model's folder was expected")
    if len(found) > 1 and found[0].parent != folder:
        raise ModelBroken(f"{folder} holds {len(found)} models; one was expected")
    return found[0].parent


def _numbers(name: str, values: Sequence[Any]) -> Floats:
    try:
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as cause:
        raise BadValue(name, "number") from cause
    if numbers.ndim != 1:  # lists of one number each would pass for numbers
        raise BadValue(name, "number")
    return numbers
