"""Values of a kind between JSON and their dataclass: read with all they hold, shown with what is public."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from shared.domain.kinds.kind import About, V, about

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """One field of a dataclass of values."""

    name: str
    about: About
    hint: Any
    """Its type, less None."""
    required: bool
    """Whether it is always known: its type does not admit None."""

    @property
    def inner(self) -> type[DataclassInstance] | None:
        """The dataclass it holds one or a list of, if it does."""
        for one in (self.hint, *get_args(self.hint)):
            if isinstance(one, type) and dataclasses.is_dataclass(one):
                return one
        return None


@cache
def parts(of: type[DataclassInstance]) -> tuple[Part, ...]:
    """The fields of a dataclass of values, each with its type."""
    hints = get_type_hints(of)
    return tuple(_part(field, hints[field.name]) for field in dataclasses.fields(of))


def _part(field: dataclasses.Field[Any], hint: Any) -> Part:
    given = [one for one in get_args(hint) if one is not type(None)]
    required = len(given) == len(get_args(hint))
    return Part(name=field.name, about=about(field), hint=hint if required else given[0], required=required)


def read(of: type[V], values: Mapping[str, Any], entered: Mapping[str, str] | None = None) -> V:
    """The values as their dataclass; what is not there is None.

    entered: when the thing last came into each of its states
    """
    times = entered or {}
    return of(
        **{
            part.name: times.get(part.about.entered)
            if part.about.entered
            else _read(part.inner, values.get(part.name))
            for part in parts(of)
        }
    )


def _read(inner: type[DataclassInstance] | None, value: Any) -> Any:
    if inner is None or value is None:
        return value
    return [read(inner, one) for one in value] if isinstance(value, list) else read(inner, value)


def shown(values: DataclassInstance) -> dict[str, Any]:
    """The public values as JSON; what is not known is not there."""
    return {
        part.name: _shown(value) if part.inner else value
        for part in parts(type(values))
        if part.about.public and (value := getattr(values, part.name)) is not None
    }


def _shown(value: Any) -> Any:
    return [shown(one) for one in value] if isinstance(value, list) else shown(value)
