"""The model format and feature encoding: how rows become numbers, and numbers probabilities and decisions.

The one place that encodes and scores: training, evaluation and the endpoint all use this module, so that a row means
the same to each.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import Any, Self

import lightgbm
import numpy as np
import numpy.typing as npt

log = logging.getLogger(__name__)
FORMAT = 1
BOOSTER = "model.txt"
DESCRIPTION = "model.json"
GOLDEN = "golden.json"
"""Held-out rows that evaluating a model puts beside it, and what the model says to them."""

Floats = npt.NDArray[np.float64]
Deciles = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]
Columns = Mapping[str, Sequence[Any]]
Predict = Callable[[Floats], Floats]


class ModelBroken(Exception):
    """The folder is no model, or not the one its description speaks of; the message says what to do."""


class BadValue(Exception):
    """A value that no feature of its column's type can have."""

    def __init__(self, column: str, expected: str) -> None:
        super().__init__(f"column {column!r} holds a value that is no {expected}; send {expected}s or null")


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A feature: a column the model reads."""

    name: str
    type: str
    """integer, number or category."""
    values: tuple[str, ...] = ()
    """A category's values; the place in this order is the number the booster sees, so it never changes."""
    minimum: float | None = None
    maximum: float | None = None
    """Both inclusive, as the contract had them when the model learned; numbers only."""

    @cached_property
    def low(self) -> float:
        return -np.inf if self.minimum is None else self.minimum

    @cached_property
    def high(self) -> float:
        return np.inf if self.maximum is None else self.maximum

    @cached_property
    def codes(self) -> dict[str, float]:
        return {value: float(code) for code, value in enumerate(self.values)}

    def encode(self, values: Sequence[Any]) -> Floats:
        """One number a row; NaN, which the trees know as missing, for null and for a category never seen.

        raises: BadValue
        """
        if self.type != "category":
            return _numbers(self.name, values)
        try:
            return np.array(list(map(self.codes.get, values, repeat(np.nan))), dtype=np.float64)
        except TypeError as cause:  # a list or an object
            raise BadValue(self.name, "text") from cause

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"name": self.name, "type": self.type}
        body |= {"values": list(self.values)} if self.values else {}
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        return body | {name: bound for name, bound in bounds.items() if bound is not None}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        return cls(
            name=body["name"],
            type=body["type"],
            values=tuple(body.get("values", ())),
            minimum=body.get("minimum"),
            maximum=body.get("maximum"),
        )


def blank(rows: int, features: Sequence[Feature]) -> Floats:
    """Each column in one piece, as it is filled and as the trees read it."""
    return np.empty((rows, len(features)), dtype=np.float64, order="F")


def encode(features: Sequence[Feature], columns: Columns) -> Floats:
    """A fresh matrix, a row a client; columns that are no feature are ignored. raises: BadValue"""
    rows = len(columns[features[0].name])
    if rows == 1:
        try:
            return np.array([_row(features, columns)], dtype=np.float64, order="F")
        except (TypeError, ValueError, OverflowError):
            log.debug("a value that is no feature's: searched column by column")
    matrix = blank(rows, features)
    for place, feature in enumerate(features):
        matrix[:, place] = feature.encode(columns[feature.name])
    return matrix


def _row(features: Sequence[Feature], columns: Columns) -> list[Any]:
    """A single row's values at once: an array for each of its columns would take as long as all the rest."""
    values = (columns[feature.name][0] for feature in features)
    return [
        feature.codes.get(value, np.nan) if feature.type == "category" else value
        for feature, value in zip(features, values, strict=True)
    ]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What a model says to rows, one value each, in their order."""

    probability: Floats
    """Of the positive answer."""
    decile: Deciles
    """Which tenth of the held-out rows' probabilities it falls into: 10 for the highest, 1 for the lowest."""
    call: Flags
    """Whether a call is worth its cost."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A booster and what its numbers mean; safe to use from several threads at once."""

    booster: lightgbm.Booster
    features: tuple[Feature, ...]
    description: Mapping[str, Any]
    """model.json."""
    compiled: Predict | None = None
    """Says what the booster says, sooner."""

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

    @cached_property
    def cuts(self) -> Floats:
        """The nine probabilities between the tenths of the held-out rows. raises: ModelBroken"""
        found = np.array(self.description.get("deciles", ()), dtype=np.float64)
        if found.shape != (9,) or not (np.diff(found) >= 0).all():
            raise ModelBroken(
                f"{self.name} {self.version} lacks the nine rising deciles that evaluating a model adds to"
                f" {DESCRIPTION}; use the folder that the evaluate step wrote"
            )
        return found

    @property
    def columns(self) -> list[str]:
        return [feature.name for feature in self.features]

    def probabilities(self, columns: Columns) -> Floats:
        """Of the positive answer, a row each. raises: BadValue"""
        return self.predict(encode(self.features, columns))

    def predict(self, matrix: Floats) -> Floats:
        """Of the positive answer, a row each. matrix: as `encode` makes it

        Each call has its own matrix and its own result: LightGBM's faster single-row handle is scratch space that
        two threads would overwrite for each other. One thread a call, since callers are what there are many of.
        """
        if not len(matrix):
            return np.empty(0)
        if self.compiled:
            return self.compiled(matrix)
        return np.asarray(self.booster.predict(matrix, num_threads=1), dtype=np.float64)

    def scores(self, matrix: Floats) -> Scores:
        """A row's answer does not depend on the rows beside it."""
        probability = self.predict(matrix)
        return Scores(
            probability=probability,
            decile=(self.cuts.searchsorted(probability, side="right") + 1).astype(np.int8),
            call=probability >= self.threshold,
        )


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


def describe(folder: Path, **facts: Any) -> None:
    """Adds to what model.json says."""
    file = folder / DESCRIPTION
    known = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**known, **facts}, indent=1), encoding="utf-8")


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


def golden_rows(folder: Path) -> Columns | None:
    """The rows by which a deployment shows that it answers as it should; None for a model never evaluated."""
    file = _home(folder) / GOLDEN
    if not file.exists():
        return None
    golden = json.loads(file.read_text(encoding="utf-8"))
    return dict(zip(golden["columns"], zip(*golden["rows"], strict=True), strict=True))


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
