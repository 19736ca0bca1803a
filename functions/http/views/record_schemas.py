"""The schemas of records, made from the table of kinds: a field, or a state, added there is described here."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_origin

from pydantic import Field, create_model

from functions.http.views.learned_from import models_of
from functions.http.views.shape import Address, Moment, Shape, absent, growing, list_of
from shared.domain.kinds import field
from shared.domain.kinds.field import Part, public_parts
from shared.domain.kinds.waiting import GATHER_WINDOW, WAITS
from shared.domain.trace import TRACE_ID
from shared.kinds import BY_NAME, KINDS, STATES

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


ANY_STATE = growing(state for states in STATES.values() for state in states)
"""For what may be of any kind."""


class Transition(Shape):
    """A move of a thing to a state."""

    state: str = Field(
        description="The state; more may come.", examples=["admitted"], json_schema_extra=ANY_STATE
    )
    enteredAt: Moment = Field(description="When it came into it.", examples=["2026-11-24T08:00:01.200+00:00"])


def _links() -> type[Shape]:
    others = {"lineage": "/api/lineage/incoming/may.csv", "rows": "/api/batches/clients-csv-d7147bc7/rows"}
    fields: dict[str, Any] = {
        "self": (
            Address,
            Field(description="The address of the thing itself.", examples=["/api/uploads/may.csv"]),
        )
    }
    for name, example in others.items():
        fields[name] = (Address, absent(description=f"The address of its {name}.", examples=[example]))
    about = "The address of the batches that the model it led to scores."
    learned = "The address of the models that learned from its rows."
    fields["models"] = (Address, absent(description=learned, examples=[models_of("upload/may.csv/0x8DD59")]))
    fields["batches"] = (Address, absent(description=about, examples=["/api/batches?model=bank:3"]))
    for kind in KINDS:
        about = f"The address of the {kind.name} that it belongs to, or led to."
        fields[kind.name] = (Address, absent(description=about, examples=[f"/api/{kind.plural}/..."]))
    return create_model(
        "Links", __base__=Shape, __doc__="Where it, and what it belongs to, is found.", **fields
    )


Links = _links()


class Record(Shape):
    """Something whose states follow each other."""

    id: str
    kind: str
    state: str
    seq: int = Field(ge=1, description="Grows by one with each change.", examples=[3])
    createdAt: Moment = Field(
        description="When it was first heard of.", examples=["2026-11-24T08:00:00.100+00:00"]
    )
    lastModifiedAt: Moment = Field(
        description="When it last changed.", examples=["2026-11-24T08:00:01.200+00:00"]
    )
    traceId: str = absent(
        description="The trace that it was begun in: the same for an upload, its dataset version, run, model and"
        " deployment. Absent where the app knew no traces then.",
        pattern=TRACE_ID,
        examples=["4bf92f3577b34da6a3ce929d0e0e4736"],
    )
    history: list[Transition] = Field(description="The states it came into, the first one first.")
    unreadable: str = absent(
        description="Why most of it is not shown: what is recorded of it cannot be read.",
        examples=["what it holds is not what an upload holds (TypeError)"],
    )
    links: Links = Field(description="Where it, and what it belongs to, is found.")  # type: ignore[valid-type]


@cache
def _values(of: type[DataclassInstance]) -> type[Shape]:
    """What something of a record holds."""
    return create_model(of.__name__, __base__=Shape, __doc__=of.__doc__, **public_fields(of))


@cache
def record(name: str) -> type[Record]:
    """A record of that kind, as the table of kinds has it."""
    of = BY_NAME[name]
    meanings = [f"`{state.name}`: {state.sentence}{' (final)' if state.final else ''}" for state in of.states]
    head: dict[str, Any] = {
        "id": (
            str,
            Field(
                description="What it is called; the same for ever.",
                pattern=of.id_pattern,
                examples=[of.id_example],
            ),
        ),
        "kind": (_one_of([name]), Field(description="What it is.", examples=[name])),
        "state": (
            str,
            Field(
                description="; ".join(meanings) + "; more may come.",
                examples=[of.states[-1].name],
                json_schema_extra=growing(STATES[name]),
            ),
        ),
    }
    if any(state.waits_for for state in of.states):
        head |= _waiting()
    made: type[Record] = create_model(
        of.values.__name__, __base__=Record, __doc__=of.sentence, **head, **public_fields(of.values)
    )
    return made


def _waiting() -> dict[str, Any]:
    words = "; ".join(f"`{wait.name}`: {wait.sentence}" for wait in WAITS)
    waits = (
        "What it waits for, or what it became does, before the next state; absent when all of that is final, and in lists. "
        f"{words}; more words may come."
    )
    since = "Since when it waits for that; absent when `waitingFor` is."
    known = growing(wait.name for wait in WAITS)
    return {
        "waitingFor": (
            str,
            absent(description=waits, examples=[GATHER_WINDOW.name], json_schema_extra=known),
        ),
        "waitingStartedAt": (Moment, absent(description=since, examples=["2026-11-24T08:00:01.200+00:00"])),
    }


def public_fields(of: type[DataclassInstance]) -> dict[str, Any]:
    """What of it everybody may read, for `create_model`."""
    return {part.wire_name: (_type(part), _field(part, part.required)) for part in public_parts(of)}


def event_fields(of: type[DataclassInstance]) -> dict[str, Any]:
    """What of it an event may bring: each field when it becomes known, and none that is read from the history."""
    return {
        part.wire_name: (_type(part), _field(part, False))
        for part in public_parts(of)
        if not part.about.entered
    }


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


def _field(part: Part, required: bool) -> Any:
    about = part.about
    return (Field if required else absent)(
        description=f"{about.sentence[:-1]} ({about.unit})." if about.unit else about.sentence,
        examples=None if about.example is None else [about.example],
        pattern=about.pattern or None,
        ge=about.least,
        le=about.most,
        json_schema_extra=growing(state.name for state in about.known) if about.known else None,
    )
