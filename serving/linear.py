"""Logistic regression as data: JSON in, log-odds out, a coefficient for every way a value may be or be missing."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from serving.features import Feature, Floats
from serving.log_odds import clipped, probability_of

BLOCK = 4096
"""Rows whose terms are in the processor's cache at the same time."""


@dataclass(frozen=True, kw_only=True)
class Slope:
    """A numeric column's term: coefficient * (clip(x, low, high) - mean) / scale, or `missing`."""

    column: str
    mean: float
    scale: float
    low: float
    high: float
    """With `low` the range of the training rows: a line says nothing of what lies outside of it."""
    coefficient: float
    missing: float


@dataclass(frozen=True, kw_only=True)
class Levels:
    """A category's term: its value's coefficient, or `missing`."""

    column: str
    coefficients: Mapping[str, float]
    """Of every value that the feature may have."""
    missing: float


Term = Slope | Levels


@dataclass(frozen=True, kw_only=True)
class Linear:
    """A logistic regression: the log-odds are the intercept and a term of each column that it reads."""

    intercept: float
    terms: tuple[Term, ...]

    def to_text(self) -> str:
        body = {"intercept": self.intercept, "terms": [asdict(term) for term in self.terms]}
        return json.dumps(body, indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """raises: ValueError, which says what is wrong"""
        try:
            body = json.loads(text)
            return cls(intercept=float(body["intercept"]), terms=tuple(map(_term, body["terms"])))
        except (KeyError, TypeError) as cause:
            raise ValueError(f"no logistic regression ({type(cause).__name__}: {cause})") from cause


def _term(body: Mapping[str, Any]) -> Term:
    return Levels(**body) if "coefficients" in body else Slope(**body)


class _Slopes(NamedTuple):
    """The numbers' terms as columns of one value each, so that all rows of a block meet them at once."""

    places: npt.NDArray[np.intp]
    low: Floats
    high: Floats
    mean: Floats
    slope: Floats
    missing: Floats


class _Levels(NamedTuple):
    """The categories' coefficients, one category after the other; a category's last is that of a missing value."""

    places: npt.NDArray[np.intp]
    first: npt.NDArray[np.intp]
    missing: Floats
    """The code that a missing value counts as."""
    coefficients: Floats


class FittedLinear:
    """A logistic regression over encoded rows. A row's answer does not depend on the rows beside it."""

    def __init__(self, linear: Linear, features: Sequence[Feature]) -> None:
        """features: of the matrix's columns, one for each term. raises: ValueError where they do not fit"""
        named = [term.column for term in linear.terms]
        if named != [feature.name for feature in features]:
            raise ValueError(f"its terms are of {', '.join(named)}, which are not the columns it is to read")
        for term, feature in zip(linear.terms, features, strict=True):
            _check(term, feature)
        self.intercept = linear.intercept
        self._slopes = _slopes(linear.terms)
        self._levels = _levels(linear.terms, features)

    def predict(self, matrix: Floats) -> Floats:
        """Of the positive answer, a row each."""
        return probability_of(self._sums(matrix))

    def log_odds(self, matrix: Floats) -> Floats:
        """No surer than a member may be."""
        return clipped(self._sums(matrix))

    def _sums(self, matrix: Floats) -> Floats:
        found = np.empty(len(matrix))
        for start in range(0, len(matrix), BLOCK):
            rows = slice(start, start + BLOCK)
            terms = self._terms(matrix[rows])
            terms[0] += self.intercept
            found[rows] = np.add.accumulate(terms, axis=0)[
                -1
            ]  # in order: a sum takes another one for one row
        return found

    def terms(self, matrix: Floats) -> Floats:
        """What each row's log-odds are the sum of, beside the intercept: a column for each column of the matrix."""
        found = np.empty(matrix.shape)
        found[:, [*self._slopes.places, *self._levels.places]] = self._terms(matrix).T
        return found

    def _terms(self, matrix: Floats) -> Floats:
        """A row for each term, the numbers' first."""
        slopes, levels = self._slopes, self._levels
        values = matrix.T[slopes.places]
        within = np.minimum(np.maximum(values, slopes.low), slopes.high)
        numbers = np.where(np.isnan(values), slopes.missing, (within - slopes.mean) * slopes.slope)
        codes = matrix.T[levels.places]
        codes = np.where(np.isnan(codes), levels.missing, codes)
        found: Floats = np.concatenate([numbers, levels.coefficients[codes.astype(np.intp) + levels.first]])
        return found


def _check(term: Term, feature: Feature) -> None:
    """raises: ValueError"""
    if isinstance(term, Levels) is not (feature.type == "category"):
        raise ValueError(f"its term of {term.column!r} is of another kind than the column, a {feature.type}")
    if isinstance(term, Levels) and set(term.coefficients) != set(feature.values):
        raise ValueError(f"its coefficients of {term.column!r} are not of the values that the column has")
    numbers = [*term.coefficients.values(), term.missing] if isinstance(term, Levels) else _numbers(term)
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"a number of its term of {term.column!r} is not finite")
    if isinstance(term, Slope) and not (term.scale > 0 and term.low <= term.high):
        raise ValueError(f"its term of {term.column!r} has no range or no scale")


def _numbers(term: Slope) -> list[float]:
    return [term.mean, term.scale, term.low, term.high, term.coefficient, term.missing]


def _slopes(terms: Sequence[Term]) -> _Slopes:
    found = [(at, term) for at, term in enumerate(terms) if isinstance(term, Slope)]
    return _Slopes(
        places=np.array([at for at, _ in found], np.intp),
        low=_standing(term.low for _, term in found),
        high=_standing(term.high for _, term in found),
        mean=_standing(term.mean for _, term in found),
        slope=_standing(term.coefficient / term.scale for _, term in found),
        missing=_standing(term.missing for _, term in found),
    )


def _levels(terms: Sequence[Term], features: Sequence[Feature]) -> _Levels:
    found = [(at, term) for at, term in enumerate(terms) if isinstance(term, Levels)]
    sizes = [len(term.coefficients) + 1 for _, term in found]
    coefficients = [
        value
        for at, term in found
        for value in (*(term.coefficients[name] for name in features[at].values), term.missing)
    ]
    return _Levels(
        places=np.array([at for at, _ in found], np.intp),
        first=np.array([sum(sizes[:place]) for place in range(len(sizes))], np.intp).reshape(-1, 1),
        missing=_standing(size - 1 for size in sizes),
        coefficients=np.array(coefficients, np.float64),
    )


def _standing(values: Iterable[float]) -> Floats:
    return np.array(list(values), np.float64).reshape(-1, 1)
