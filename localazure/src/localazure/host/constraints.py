"""The constraints of route parameters, as ASP.NET has them: `int`, `guid`, `length(2,8)`, `regex(...)`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from localazure.host.errors import BrokenApp

Constraint = Callable[[str], bool]


def parse(text: str, *, where: str) -> Constraint:
    """What a value must be; raises BrokenApp for a constraint there is not."""
    name, _, rest = text.partition("(")
    arguments = rest[:-1] if rest else ""
    if name == "regex":
        pattern = re.compile(arguments.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
        return lambda value: pattern.search(value) is not None
    if name in KINDS and not rest:
        return KINDS[name]
    try:
        return BOUNDS[name]([int(one) for one in arguments.split(",")])
    except (KeyError, ValueError, TypeError, IndexError) as cause:
        known = ", ".join(sorted([*KINDS, *BOUNDS, "regex"]))
        raise BrokenApp(
            f"{where}: the route constraint {text!r} is not known. There are: {known}."
        ) from cause


def _is_whole(value: str, bits: int) -> bool:
    return bool(re.fullmatch(r"[+-]?[0-9]+", value)) and -(2 ** (bits - 1)) <= int(value) < 2 ** (bits - 1)


def _is_number(value: str) -> bool:
    return bool(re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", value))


def _is_guid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


def _is_moment(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


KINDS: dict[str, Constraint] = {
    "int": lambda value: _is_whole(value, 32),
    "long": lambda value: _is_whole(value, 64),
    "bool": lambda value: value.lower() in {"true", "false"},
    "alpha": lambda value: bool(re.fullmatch(r"[A-Za-z]*", value)),
    "guid": _is_guid,
    "datetime": _is_moment,
    "decimal": _is_number,
    "double": _is_number,
    "float": _is_number,
    "required": bool,
}


def _length(bounds: Sequence[int]) -> Constraint:
    low, high = bounds if len(bounds) == 2 else (bounds[0], bounds[0])
    return lambda value: low <= len(value) <= high


def _range(bounds: Sequence[int]) -> Constraint:
    low, high = bounds
    return lambda value: _is_whole(value, 64) and low <= int(value) <= high


BOUNDS: dict[str, Callable[[Sequence[int]], Constraint]] = {
    "length": _length,
    "minlength": lambda bounds: lambda value: len(value) >= bounds[0],
    "maxlength": lambda bounds: lambda value: len(value) <= bounds[0],
    "min": lambda bounds: lambda value: _is_whole(value, 64) and int(value) >= bounds[0],
    "max": lambda bounds: lambda value: _is_whole(value, 64) and int(value) <= bounds[0],
    "range": _range,
}
