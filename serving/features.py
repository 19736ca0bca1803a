"""Features and their encoding: how a caller's values become the numbers that learners see.

The one place that encodes: training, evaluation and the endpoint all use it, so that a row means the same to each.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any, Self

import numpy as np
import numpy.typing as npt

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]
Columns = Mapping[str, Sequence[Any]]


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
    """A category's values; the place in this order is the number that trees see, so it never changes."""
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
        """One number a row; NaN, which every learner knows as missing, for null and for a category never seen.

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


def _numbers(name: str, values: Sequence[Any]) -> Floats:
    try:
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as cause:
        raise BadValue(name, "number") from cause
    if numbers.ndim != 1:  # lists of one number each would pass for numbers
        raise BadValue(name, "number")
    return numbers
