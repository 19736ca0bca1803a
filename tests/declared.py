"""Whether what is kept of a thing is what its kind declares: no name but those of its fields, each of its type."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from shared.domain.kinds.field import parts
from shared.kinds import BY_NAME

OF_EACH = "history"
"""What every record keeps beside the fields of its kind."""


def faults(kind: str, values: Mapping[str, Any]) -> list[str]:
    """What of the values of a record is not declared, or not of its type; a field that is None is not known."""
    of = BY_NAME[kind].values
    known = {name: value for name, value in values.items() if name != OF_EACH}
    return [f"{kind}.{fault}" for fault in _faults(of, known)]


def _faults(of: type[Any], values: Mapping[str, Any]) -> Iterator[str]:
    declared = {part.name: part for part in parts(of)}
    for name, value in values.items():
        if name not in declared or declared[name].about.entered:
            yield f"{name} is not declared"
        elif value is not None and not fits(value, declared[name].hint):
            yield f"{name} is no {declared[name].hint}: {value!r}"
    for name, part in declared.items():
        if part.required and values.get(name) is None:
            yield f"{name} is missing"


def fits(value: Any, hint: Any) -> bool:
    """Whether JSON is of the type: a dataclass is a mapping of its fields."""
    if get_origin(hint) is list:
        return isinstance(value, list) and all(fits(one, get_args(hint)[0]) for one in value)
    if dataclasses.is_dataclass(hint):
        return isinstance(value, Mapping) and not list(_faults(hint, value))  # type: ignore[arg-type]
    plain = getattr(hint, "__supertype__", hint)
    return type(value) is plain or (plain is float and type(value) is int)
