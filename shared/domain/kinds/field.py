"""A field of a kind's values: what it means, with unit and example; and values between JSON and their dataclass."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, NewType, TypeVar, get_args, get_type_hints

from shared.domain.kinds.state import State

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Moment = NewType("Moment", str)
"""A point in time: RFC 3339, UTC."""
V = TypeVar("V", bound="DataclassInstance")
"""A dataclass of values: frozen, each field `public` or `internal`; one whose type admits None may be unknown."""
ABOUT = "about"
"""The key under which a dataclass field carries its `About`."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What is to be said of a field."""

    sentence: str
    example: Any = None
    unit: str = ""
    least: int | None = None
    most: int | None = None
    pattern: str = ""
    """How it is written, as a regular expression that JSON Schema knows."""
    one_of: tuple[State, ...] = ()
    """The closed vocabulary its value is of: there never is another word."""
    known: tuple[State, ...] = ()
    """The words known today of a vocabulary that may grow."""
    entered: str = ""
    """The state whose newest entry in the history is the value: such a field is not stored, but read from there."""
    public: bool = True


def public(
    sentence: str,
    *,
    example: Any = None,
    unit: str = "",
    least: int | None = None,
    most: int | None = None,
    pattern: str = "",
    one_of: tuple[State, ...] = (),
    known: tuple[State, ...] = (),
    entered: str = "",
) -> Any:
    """A field that the API, and events, show. example: none is needed for what is made of fields that have theirs"""
    about = About(
        sentence=sentence,
        example=example,
        unit=unit,
        least=least,
        most=most,
        pattern=pattern,
        one_of=one_of,
        known=known,
        entered=entered,
    )
    return field(metadata={ABOUT: about})


def internal(sentence: str) -> Any:
    """A field that only the product itself reads."""
    return field(metadata={ABOUT: About(sentence=sentence, public=False)})


def about(of: dataclasses.Field[Any]) -> About:
    """raises: KeyError for a field that is neither `public` nor `internal`"""
    found: About = of.metadata[ABOUT]
    return found


@dataclass(frozen=True, kw_only=True)
class Part:
    """One field of a dataclass of values."""

    name: str
    about: About
    hint: Any
    """Its type, less None."""
    required: bool
    """Whether it is always known: its type does not admit None."""
    inner: type[DataclassInstance] | None
    """The dataclass it holds one or a list of, if it does."""

    @property
    def wire_name(self) -> str:
        """What programs read it as: in answers, events, webhooks and `--json`."""
        return camel_case(self.name)


@cache
def camel_case(name: str) -> str:
    """`rejected_rows` as `rejectedRows`; source: Azure REST API guidelines, JSON field name casing"""
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


@cache
def parts(of: type[DataclassInstance]) -> tuple[Part, ...]:
    """The fields of a dataclass of values, each with its type."""
    hints = get_type_hints(of)
    return tuple(_part(field, hints[field.name]) for field in dataclasses.fields(of))


@cache
def public_parts(of: type[DataclassInstance]) -> tuple[Part, ...]:
    return tuple(part for part in parts(of) if part.about.public)


@cache
def _public(of: type[DataclassInstance]) -> tuple[tuple[str, Part], ...]:
    return tuple((part.wire_name, part) for part in public_parts(of))


def _part(field: dataclasses.Field[Any], hint: Any) -> Part:
    given = [one for one in get_args(hint) if one is not type(None)]
    required = len(given) == len(get_args(hint))
    plain = hint if required else given[0]
    return Part(name=field.name, about=about(field), hint=plain, required=required, inner=_inner(plain))


def _inner(hint: Any) -> type[DataclassInstance] | None:
    for one in (hint, *get_args(hint)):
        if isinstance(one, type) and dataclasses.is_dataclass(one):
            return one
    return None


def read(of: type[V], values: Mapping[str, Any]) -> V:
    """The values as their dataclass; what is not there is None."""
    made = object.__new__(of)
    # Past the frozen dataclass's __init__, which sets field by field: a list of 200 records is a third faster.
    made.__dict__.update(
        {
            part.name: _read(part.inner, values.get(part.name)) if part.inner else values.get(part.name)
            for part in parts(of)
        }
    )
    return made


def _read(inner: type[DataclassInstance], value: Any) -> Any:
    if isinstance(value, list):
        return [read(inner, one) for one in value]
    return None if value is None else read(inner, value)


def shown(of: type[DataclassInstance], values: Mapping[str, Any]) -> dict[str, Any]:
    """Of the values what is public, as JSON under its wire names; what is not known is not there."""
    return {
        wire: _shown(part.inner, value) if part.inner else value
        for wire, part in _public(of)
        if (value := values.get(part.name)) is not None
    }


def _shown(inner: type[DataclassInstance], value: Any) -> Any:
    return [shown(inner, one) for one in value] if isinstance(value, list) else shown(inner, value)
