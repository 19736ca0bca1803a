"""The schemas of records, made from the table of kinds: a field, or a state, added there is described here."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_origin

from pydantic import Field, create_model

from functions.http.views.shape import Moment, Shape, absent, list_of
from shared.domain.kinds import field
from shared.domain.kinds.field import Part, parts
from shared.kinds import BY_NAME, STATES

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Record(Shape):
    """Something whose states follow each other."""

    id: str = Field(description="What it is called; the same for ever.")
    kind: str
    state: str
    seq: int = Field(ge=1, description="Grows by one with each change.", examples=[3])
    created: Moment = Field(description="When it was first heard of.")
    updated: Moment = Field(description="When it last changed.")
    history: list[list[str]] = Field(description="The states it was in, each with the time it came into it.")
    links: dict[str, str] = Field(description="Where it, and what it belongs to, is found.")


@cache
def _values(of: type[DataclassInstance]) -> type[Shape]:
    """What something of a record holds."""
    return create_model(of.__name__, __base__=Shape, __doc__=of.__doc__, **_fields(of))


@cache
def record(name: str) -> type[Record]:
    """A record of that kind, as the table of kinds has it."""
    of = BY_NAME[name]
    meanings = [f"`{state.name}`: {state.sentence}{' (final)' if state.final else ''}" for state in of.states]
    head: dict[str, Any] = {
        "kind": (_one_of([name]), Field(description="What it is.")),
        "state": (_one_of(STATES[name]), Field(description="; ".join(meanings) + ".")),
    }
    made: type[Record] = create_model(
        of.values.__name__, __base__=Record, __doc__=of.sentence, **head, **_fields(of.values)
    )
    return made


def _fields(of: type[DataclassInstance]) -> dict[str, Any]:
    return {part.name: (_type(part), _field(part)) for part in parts(of) if part.about.public}


def _type(part: Part) -> Any:
    if part.about.one_of:
        return _one_of(state.name for state in part.about.one_of)
    if part.hint is field.Moment:
        return Moment
    if part.inner is None:
        return part.hint
    shape = _values(part.inner)
    return list_of(shape) if get_origin(part.hint) is list else shape


def _one_of(names: Iterable[str]) -> Any:
    return Literal[tuple(names)]


def _field(part: Part) -> Any:
    about = part.about
    return (Field if part.required else absent)(
        description=f"{about.sentence[:-1]} ({about.unit})." if about.unit else about.sentence,
        examples=None if about.example is None else [about.example],
        ge=about.least,
        le=about.most,
    )
