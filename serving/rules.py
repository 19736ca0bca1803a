"""Input validation by the contract's rules, which travel with the model: its words, its bounds, its types.

A row that breaks one has no score, and is told the rule and the remedy that a file of clients is told: a model asked
about what it never learned from answers with confidence all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from serving.features import BadValue, Columns, Feature, Floats, blank

INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
LONGEST_NUMBER = 64
LONGEST_SHOWN = 200
PLAIN = frozenset({int, float, type(None)})
"""Types of values that a column of numbers has as a rule; what else is there is looked at one by one."""


class Fault(NamedTuple):
    """A rule that a value breaks."""

    column: str
    value: str
    rule: str
    """In words, without the value."""
    remedy: str

    @property
    def message(self) -> str:
        value = f"{self.value!r} is " if self.value else ""
        return f"{self.column}: {value}{self.rule} ({self.remedy})"

    @property
    def rule_only(self) -> str:
        """Without the value: for whoever keeps what was refused."""
        return f"{self.column}: {self.rule} ({self.remedy})"


Broken = Mapping[int, Sequence[Fault]]
"""By row: all the rules that it breaks."""


def checked(features: Sequence[Feature], columns: Columns) -> tuple[Floats, Broken]:
    """The matrix that `features.encode` makes, and the rows that break a rule; what those hold in it means nothing.

    raises: BadValue for a value that no feature's can be: a list, an object
    """
    rows = len(columns[features[0].name])
    if rows == 1:
        plain = _plain_row(features, columns)
        if plain is not None:
            return np.array([plain], dtype=np.float64, order="F"), {}
    matrix, broken = blank(rows, features), dict[int, list[Fault]]()
    for place, feature in enumerate(features):
        matrix[:, place] = _column(feature, columns[feature.name], broken)
    return matrix, broken


def judge_column(
    feature: Feature,
    numbers: Floats,
    known: Callable[[int], Any],
    broken: dict[int, list[Fault]],
    *,
    missing: npt.NDArray[np.bool_] | None = None,
) -> None:
    """Adds the faults of a column's values.

    numbers: as encoded, NaN where a value is missing or a word is not known; known: a row's value, None when missing
    missing: the rows of which that is known already
    """
    suspects = _suspects(feature, numbers)
    if missing is not None:
        suspects &= ~missing
    for row in np.flatnonzero(suspects).tolist():
        value = known(row)
        if value is not None:
            fault = (
                word_fault(feature, str(value))
                if feature.type == "category"
                else number_fault(feature, value)
            )
            if fault:
                broken.setdefault(row, []).append(fault)


def _suspects(feature: Feature, numbers: Floats) -> npt.NDArray[np.bool_]:
    """By row: whether its value may break a rule. Few passes over the column, since all rows pay for them."""
    if feature.type == "category":
        return np.isnan(numbers)
    outside: npt.NDArray[np.bool_] = (numbers < feature.low) | (numbers > feature.high) | np.isinf(numbers)
    if feature.type == "integer":
        with np.errstate(invalid="ignore"):
            outside |= np.floor(numbers) < numbers
    return outside


def _plain_row(features: Sequence[Feature], columns: Columns) -> list[float] | None:
    """A single row's numbers at once, as one caller sends them; None when a value has to be looked at."""
    numbers: list[float] = []
    for feature in features:
        value = columns[feature.name][0]
        if value is None:
            numbers.append(np.nan)
        elif feature.type == "category":
            code = feature.codes.get(value) if type(value) is str else None
            if code is None:
                return None
            numbers.append(code)
        elif type(value) is int or (
            type(value) is float and (feature.type == "number" or value.is_integer())
        ):
            if not feature.low <= value <= feature.high:
                return None
            numbers.append(value)
        else:
            return None
    return numbers


def _column(feature: Feature, values: Sequence[Any], broken: dict[int, list[Fault]]) -> Floats:
    if feature.type == "category":
        numbers = feature.encode(values)
    elif set(map(type, values)) <= PLAIN:
        try:
            numbers = np.array(values, dtype=np.float64)
        except OverflowError:
            numbers = _one_by_one(feature, values)
    else:
        numbers = _one_by_one(feature, values)
    judge_column(feature, numbers, values.__getitem__, broken)
    return numbers


def _one_by_one(feature: Feature, values: Sequence[Any]) -> Floats:
    """Infinite, and so a suspect, where a value is no number."""
    return np.array([_number(feature, value) for value in values], dtype=np.float64)


def _number(feature: Feature, value: Any) -> float:
    if value is None:
        return np.nan
    if isinstance(value, list | dict):
        raise BadValue(feature.name, "number")
    if isinstance(value, str) and not _is_written(feature, value):
        return np.inf
    try:
        return np.inf if isinstance(value, bool) else float(value)
    except (OverflowError, TypeError, ValueError):
        return np.inf


def _is_written(feature: Feature, text: str) -> bool:
    form = INTEGER if feature.type == "integer" else NUMBER
    return len(text) <= LONGEST_NUMBER and form.fullmatch(text) is not None


# --- the rules, in the words of the files' check -----------------------------------------------------------------


def word_fault(feature: Feature, text: str) -> Fault:
    """What is wrong with a word that the feature does not have."""
    if not text.strip():
        return _empty(feature, text)
    loosely = {value.casefold(): value for value in feature.values}
    meant = loosely.get(text.strip().casefold())
    remedy = f"write {meant!r}" if meant else "mend it, or add it to the contract if it is new"
    return _fault(feature, text, "not one of: " + ", ".join(feature.values), remedy)


def number_fault(feature: Feature, value: Any) -> Fault | None:
    """What is wrong with a number, or with a text in its place; None when nothing is."""
    text = value if isinstance(value, str) else _text(value)
    if not text.strip():
        return _empty(feature, text)
    if isinstance(value, bool) or not _is_written(feature, text) or not np.isfinite(float(text)):
        if feature.type == "integer":
            return _fault(feature, text, "not an integer", "write digits only, such as 42")
        return _fault(feature, text, "not a number", "write digits and a point, such as 4.857")
    number, allowed = float(text), f"the contract allows {feature.low:g} to {feature.high:g}"
    if number < feature.low:
        return _fault(feature, text, f"below {feature.low:g}", allowed)
    if number > feature.high:
        return _fault(feature, text, f"above {feature.high:g}", allowed)
    return None


def _text(value: Any) -> str:
    """A number as it would stand in a file."""
    return (
        str(int(value))
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15
        else str(value)
    )


def _empty(feature: Feature, text: str) -> Fault:
    remedy = "write unknown" if "unknown" in feature.values else "give a value"
    return _fault(feature, text, "empty value", remedy)


def _fault(feature: Feature, text: str, rule: str, remedy: str) -> Fault:
    shown = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "..."
    return Fault(feature.name, shown, rule, remedy)
