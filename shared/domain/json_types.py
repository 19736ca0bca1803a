"""Whether JSON is of a declared type: what a message says is checked against the annotations of what it is read as."""

from __future__ import annotations

from dataclasses import fields
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
    if get_origin(hint) is UnionType:
        return any(fits(value, one) for one in get_args(hint))
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint)
    plain = get_origin(hint) or hint
    if plain is not Any and type(value) is not plain:  # True is no 1, and 1 no "1"
        return False
    inner = get_args(hint)[-1] if get_args(hint) else Any
    if isinstance(value, list | dict):
        held = value.values() if isinstance(value, dict) else value
        return all(map(_is_plain, value)) and all(fits(one, inner) for one in held)
    return _is_plain(value)


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
