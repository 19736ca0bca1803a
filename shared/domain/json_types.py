"""Whether JSON is of a declared type: what a message says is checked against the annotations of what it is read as."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

LARGEST = 2**53
"""The largest whole number that every reader of JSON reads as it is; source: RFC 8259, 6."""


def declared(of: type[Any]) -> dict[str, Any]:
    """The fields of a dataclass, each with its type."""
    hints = get_type_hints(of)
    return {field.name: hints[field.name] for field in fields(of)}


def fits(value: Any, hint: Any) -> bool:
    """Whether the value is of the type, and can be written down again: text as UTF-8, a whole number as JSON."""
    return _check(hint)(value)


@cache
def _check(hint: Any) -> Callable[[Any], bool]:
    """Types are taken apart once: messages are checked by the million."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return lambda value: any(fits(value, one) for one in inner)
    if origin is Literal:
        return lambda value: isinstance(value, str) and value in inner
    plain, held = origin or hint, inner[-1] if inner else Any

    def check(value: Any) -> bool:
        if plain is not Any and type(value) is not plain:  # True is no 1, and 1 no "1"
            return False
        if isinstance(value, list | dict):
            values = value.values() if isinstance(value, dict) else value
            return all(map(_is_plain, value)) and all(fits(one, held) for one in values)
        return _is_plain(value)

    return check


ATOMS = frozenset({str, int, float, bool, type(None)})


def as_json(value: Any) -> Any:
    """A dataclass as JSON, with all that it holds: as `dataclasses.asdict`, in a fraction of its time."""
    of: Any = type(value)
    if of in ATOMS:
        return value
    if of is dict:
        return {name: as_json(one) for name, one in value.items()}
    if of is list or of is tuple:
        return of(map(as_json, value))
    names = _names(of)
    return {name: as_json(getattr(value, name)) for name in names} if names is not None else deepcopy(value)


@cache
def _names(of: type[Any]) -> tuple[str, ...] | None:
    return tuple(field.name for field in fields(of)) if is_dataclass(of) else None


def called(hint: Any) -> str:
    """The type's name, for who has to mend the value."""
    if get_origin(hint) is Literal:
        return " or ".join(map(repr, get_args(hint)))
    return str(hint) if get_args(hint) else str(getattr(hint, "__name__", hint))


def _is_plain(value: Any) -> bool:
    """Half a UTF-16 pair may stand in JSON, by its number, and nowhere else."""
    if isinstance(value, int):
        return -LARGEST <= value <= LARGEST
    if not isinstance(value, str) or value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
