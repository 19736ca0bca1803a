"""The schemas of events: a CloudEvent, and for each kind the data it brings, made from the table of kinds.

The data is a choice that `kind` decides, with a last one for kinds to come, so that clients have types and outlive a kind
that they do not know. Tried, with openapi-typescript 7.13 (strict) and openapi-python-client 0.29:

    choice of kinds and a last one   both give the kind's own fields; an unknown kind is the last one, with all that came
    choice of kinds alone            Python raises for an unknown kind; for TypeScript there never is one
    a base that the kinds extend     both give the base: no field of a kind is typed
    one shape with all fields        a run has `rejectedRows`, and nothing says that it never will

Generators that go by the discriminator's mapping find each kind there; the last one stands beside it.
"""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any, Literal

from pydantic import Field, create_model

from functions.http.views.record_schemas import event_fields
from functions.http.views.shape import Address, Moment, Shape, absent, growing
from shared.domain import names
from shared.domain.kinds.kind import Kind
from shared.domain.trace import TRACEPARENT
from shared.kinds import EVENT_TYPES, KINDS, STATES
from shared.ledger.cloud_events import DATA_CONTENT_TYPE, DIGITS, SPEC_VERSION

DISCRIMINATOR = "kind"
SCHEMAS = "#/components/schemas/"


class _Head(Shape):
    kind: str
    id: str
    state: str = Field(description="The state it is in now; more may come.", examples=["admitted"])
    seq: int = Field(
        ge=1, description="The number of the change, which grows with each of the thing.", examples=[2]
    )


def _event_data(of: Kind[Any]) -> type[_Head]:
    """What an event about something of that kind brings: what became known with the move."""
    meanings = "; ".join(f"`{state.name}`: {state.sentence}" for state in of.states)
    head: dict[str, Any] = {
        "kind": (Literal[of.name], Field(description="What moved.", examples=[of.name])),
        "id": (str, Field(description="Its id.", pattern=of.id_pattern, examples=[of.id_example])),
        "state": (
            str,
            Field(
                description=f"{meanings}. More may come.",
                examples=[of.states[-1].name],
                json_schema_extra=growing(STATES[of.name]),
            ),
        ),
    }
    about = f"What became known when it moved. {of.sentence}"
    made: type[_Head] = create_model(
        f"{of.values.__name__}EventData", __base__=_Head, __doc__=about, **head, **event_fields(of.values)
    )
    return made


EVENT_DATA: dict[str, type[_Head]] = {kind.name: _event_data(kind) for kind in KINDS}
"""The data of an event, by the kind of what moved."""


class OtherEventData(_Head):
    """The data of a kind that this description does not know yet."""

    kind: str = Field(
        description="What moved: a kind to come.",
        examples=["forecast"],
        json_schema_extra={"not": {"enum": [kind.name for kind in KINDS]}},
    )
    id: str = Field(description="Its id.", pattern="^.+$", examples=["bank/2026-12"])


def _chosen_by_kind(schema: dict[str, Any]) -> None:
    """Exactly one fits, which pydantic cannot know."""
    schema["oneOf"] = schema.pop("anyOf")
    mapping = {kind: f"{SCHEMAS}{data.__name__}" for kind, data in EVENT_DATA.items()}
    schema["discriminator"] = {"propertyName": DISCRIMINATOR, "mapping": mapping}


AnyEventData: Any = reduce(operator.or_, (*EVENT_DATA.values(), OtherEventData))


class CloudEvent(Shape):
    """One move of one thing from a state to the next, as CloudEvents 1.0 has it."""

    specversion: Literal["1.0"] = Field(description="The version of CloudEvents.", examples=[SPEC_VERSION])
    id: str = Field(
        description="The same however often the event is delivered.",
        pattern=names.DIGEST,
        examples=["2813843fddae6a0dd3b4d0b57078db2c"],
    )
    source: Address = Field(
        description="Who tells of it: the Azure ML workspace, by its resource id.",
        examples=[
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/campanha"
            "/providers/Microsoft.MachineLearningServices/workspaces/campanha"
        ],
    )
    type: str = Field(
        description="`Campanha.`, the kind, its new state, a version; more may come.",
        examples=["Campanha.UploadAdmitted.v1"],
        json_schema_extra=growing(EVENT_TYPES),
    )
    subject: str = Field(
        description="Kind and id of the thing.", examples=["upload/upload/may.csv/0x8DD5A3B1C2D4E5F"]
    )
    time: Moment = Field(description="When it happened.", examples=["2026-11-24T08:00:01.200+00:00"])
    datacontenttype: Literal["application/json"] = Field(
        description="What `data` is.", examples=[DATA_CONTENT_TYPE]
    )
    sequence: str = Field(
        description="Its number in the log of all events, from 0, padded: as text they stand in their order.",
        pattern=f"^[0-9]{{{DIGITS}}}$",
        examples=[f"{17:0{DIGITS}d}"],
    )
    traceparent: str = absent(
        description="The W3C trace context of the move: CloudEvents' extension for distributed tracing.",
        pattern=TRACEPARENT,
        examples=["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
    )
    data: AnyEventData = Field(
        description="What became known with the move, by the kind of what moved.",
        json_schema_extra=_chosen_by_kind,
    )
