"""What a subscription lets through: types, subjects, and Azure's advanced filters, all of which must hold.

Source: https://learn.microsoft.com/azure/event-grid/event-filtering
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Event = Mapping[str, Any]

NUMBERS: dict[str, Callable[[float, float], bool]] = {
    "NumberGreaterThan": lambda value, bound: value > bound,
    "NumberGreaterThanOrEquals": lambda value, bound: value >= bound,
    "NumberLessThan": lambda value, bound: value < bound,
    "NumberLessThanOrEquals": lambda value, bound: value <= bound,
    "NumberIn": lambda value, bound: value == bound,
}
TEXTS: dict[str, Callable[[str, str], bool]] = {
    "StringBeginsWith": str.startswith,
    "StringEndsWith": str.endswith,
    "StringContains": lambda value, part: part in value,
    "StringIn": lambda value, whole: value == whole,
}
NEGATIONS = {
    "NumberNotIn": "NumberIn",
    "NumberNotInRange": "NumberInRange",
    "StringNotIn": "StringIn",
    "StringNotBeginsWith": "StringBeginsWith",
    "StringNotEndsWith": "StringEndsWith",
    "StringNotContains": "StringContains",
}
SINGLE = frozenset(name for name in NUMBERS if name != "NumberIn") | {"BoolEquals"}
"""These take `value`; the others take `values`; IsNullOrUndefined and IsNotNull take none."""
NULLS = frozenset({"IsNullOrUndefined", "IsNotNull"})
RANGES = frozenset({"NumberInRange", "NumberNotInRange"})
OPERATORS = frozenset({*NUMBERS, *TEXTS, *NEGATIONS, *NULLS, "NumberInRange", "BoolEquals"})
_MISSING = object()


def is_comparable(operator: str, value: Any) -> bool:
    """Whether an operator can be asked about such a value: a number, a pair of them, a text, or true and false."""
    if operator in RANGES:
        return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
    if NEGATIONS.get(operator, operator) in NUMBERS:
        return _is_number(value)
    return isinstance(value, bool if operator == "BoolEquals" else str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, kw_only=True)
class Advanced:
    """One advanced filter; `values` holds the single value of those that take one."""

    operator: str
    key: str
    values: tuple[Any, ...] = ()
    arrays: bool = False

    def holds(self, event: Event) -> bool:
        """Texts are compared without regard to case. What is missing satisfies only the negations."""
        found = [_value(event, self.key)]
        if self.arrays and isinstance(found[0], list):
            found = list(found[0])
        if self.operator in NULLS:
            missing = all(one is None or one is _MISSING for one in found)
            return missing == (self.operator == "IsNullOrUndefined")
        negated = self.operator in NEGATIONS
        operator = NEGATIONS.get(self.operator, self.operator)
        matches = any(_matches(operator, one, wanted) for one in found for wanted in self.values)
        return matches != negated


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Empty, it lets everything through."""

    event_types: tuple[str, ...] = ()
    subject_begins_with: str = ""
    subject_ends_with: str = ""
    case_sensitive: bool = False
    advanced: tuple[Advanced, ...] = ()

    def may_want(self, event_type: str, subject: str) -> bool:
        """False when type or subject alone settle that such an event does not come through."""
        begins, ends = self.subject_begins_with, self.subject_ends_with
        if not self.case_sensitive:
            begins, ends, subject = begins.lower(), ends.lower(), subject.lower()
        known = {kind.lower() for kind in self.event_types}
        return (
            (not known or event_type.lower() in known)
            and subject.startswith(begins)
            and subject.endswith(ends)
        )

    def wants(self, event: Event) -> bool:
        return self.may_want(*type_and_subject(event)) and all(one.holds(event) for one in self.advanced)


def type_and_subject(event: Event) -> tuple[str, str]:
    """What filters look at first, in either schema (EventGridEvent has `eventType`, CloudEvent `type`)."""
    return str(event.get("eventType") or event.get("type") or ""), str(event.get("subject") or "")


def _matches(operator: str, value: Any, wanted: Any) -> bool:
    if operator in TEXTS:
        return isinstance(value, str) and TEXTS[operator](value.lower(), str(wanted).lower())
    if operator == "BoolEquals":
        return isinstance(value, bool) and value == wanted
    if not _is_number(value):
        return False
    if operator == "NumberInRange":
        low, high = wanted
        return bool(low <= value <= high)
    return NUMBERS[operator](value, wanted)


_ALIASES = {"eventtype": ("eventType", "type"), "topic": ("topic", "source"), "source": ("source", "topic")}


def _value(event: Event, key: str) -> Any:
    """What `key` names in the event, `data.a.b` going down; names are found whatever their case."""
    first, *path = key.split(".")
    found: Any = _MISSING
    for name in _ALIASES.get(first.lower(), (first,)):
        found = _get(event, name) if found is _MISSING else found
    for name in path:
        found = _get(found, name) if isinstance(found, Mapping) else _MISSING
    return found


def _get(values: Mapping[str, Any], name: str) -> Any:
    if name in values:
        return values[name]
    return next(_named(values, name), _MISSING)


def _named(values: Mapping[str, Any], name: str) -> Iterator[Any]:
    return (value for key, value in values.items() if key.lower() == name.lower())
