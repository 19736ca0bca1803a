"""Logistic regression as data: JSON in, log-odds out, a coefficient for every way a value may be or be missing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
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
    expected: float = 0.0
    """The term's mean over the training rows, from which an explanation measures."""


@dataclass(frozen=True, kw_only=True)
class Levels:
    """A category's term: its value's coefficient, or `missing`."""

    column: str
    coefficients: Mapping[str, float]
    """Of every value that the feature may have."""
    missing: float
    expected: float = 0.0
    """As of a slope."""


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


class _Numbers(NamedTuple):
    """The numbers' terms as columns of one value each, so that all rows of a block meet them at once."""

    places: npt.NDArray[np.intp]
    low: Floats
    high: Floats
    mean: Floats
    slope: Floats
    missing: Floats


class _Categories(NamedTuple):
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
        self._expected = np.array([term.expected for term in linear.terms])
        self._slopes = [
            (at, term.low, term.high, term.mean, term.coefficient / term.scale, term.missing)
            for at, term in enumerate(linear.terms)
            if isinstance(term, Slope)
        ]
        self._levels = [
            (at, [*(term.coefficients[value] for value in features[at].values), term.missing])
            for at, term in enumerate(linear.terms)
            if isinstance(term, Levels)
        ]
        self._numbers = _numbers(self._slopes)
        self._categories = _categories(self._levels)

    def predict(self, matrix: Floats) -> Floats:
        """Of the positive answer, a row each."""
        return probability_of(self._sums(matrix))

    def log_odds(self, matrix: Floats) -> Floats:
        """No surer than a member may be."""
        return clipped(self._sums(matrix))

    def _sums(self, matrix: Floats) -> Floats:
        if len(matrix) == 1:
            return np.array([self._sum(matrix[0].tolist())])
        found = np.empty(len(matrix))
        for start in range(0, len(matrix), BLOCK):
            rows = slice(start, start + BLOCK)
            terms = self._terms(matrix[rows])
            terms[0] += self.intercept
            found[rows] = np.add.accumulate(terms, axis=0)[-1]  # one after the other, as for a row alone
        return found

    def contributions(self, matrix: Floats) -> tuple[Floats, float]:
        """How far each column moves each row's log-odds away from what is expected, and that."""
        found = np.empty(matrix.shape)
        found[:, [*self._numbers.places, *self._categories.places]] = self._terms(matrix).T
        return found - self._expected, self.intercept + float(self._expected.sum())

    def _sum(self, row: Sequence[float]) -> float:
        """The log-odds of a row alone, the same to the last bit: arrays of one value would take ten times as long."""
        found = self.intercept
        for at, low, high, mean, slope, missing in self._slopes:
            value = row[at]
            found += missing if math.isnan(value) else (min(max(value, low), high) - mean) * slope
        for at, coefficients in self._levels:
            value = row[at]
            found += coefficients[-1 if math.isnan(value) else int(value)]
        return found

    def _terms(self, matrix: Floats) -> Floats:
        """Of many rows: a row for each term, the numbers' first."""
        numbers, categories = self._numbers, self._categories
        values = matrix.T[numbers.places]
        within = np.minimum(np.maximum(values, numbers.low), numbers.high)
        lines = np.where(np.isnan(values), numbers.missing, (within - numbers.mean) * numbers.slope)
        codes = matrix.T[categories.places]
        codes = np.where(np.isnan(codes), categories.missing, codes).astype(np.intp)
        found: Floats = np.concatenate([lines, categories.coefficients[codes + categories.first]])
        return found


def _numbers(slopes: Sequence[tuple[int, float, float, float, float, float]]) -> _Numbers:
    standing = np.array(slopes, np.float64).reshape(-1, 6, 1)
    places, *others = standing.swapaxes(0, 1)
    return _Numbers(places[:, 0].astype(np.intp), *others)


def _categories(levels: Sequence[tuple[int, list[float]]]) -> _Categories:
    sizes = [len(coefficients) for _, coefficients in levels]
    return _Categories(
        places=np.array([at for at, _ in levels], np.intp),
        first=np.array([sum(sizes[:place]) for place in range(len(sizes))], np.intp).reshape(-1, 1),
        missing=np.array(sizes, np.float64).reshape(-1, 1) - 1,
        coefficients=np.array([value for _, coefficients in levels for value in coefficients], np.float64),
    )


def _check(term: Term, feature: Feature) -> None:
    """raises: ValueError"""
    if isinstance(term, Levels) is not (feature.type == "category"):
        raise ValueError(f"its term of {term.column!r} is of another kind than the column, a {feature.type}")
    if isinstance(term, Levels) and set(term.coefficients) != set(feature.values):
        raise ValueError(f"its coefficients of {term.column!r} are not of the values that the column has")
    if not all(map(math.isfinite, _values(term))):
        raise ValueError(f"a number of its term of {term.column!r} is not finite")
    if isinstance(term, Slope) and not (term.scale > 0 and term.low <= term.high):
        raise ValueError(f"its term of {term.column!r} has no range or no scale")


def _values(term: Term) -> list[float]:
    if isinstance(term, Levels):
        return [*term.coefficients.values(), term.missing, term.expected]
    return [term.mean, term.scale, term.low, term.high, term.coefficient, term.missing, term.expected]
