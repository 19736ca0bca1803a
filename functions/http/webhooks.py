"""The description's `webhooks`: what a subscriber gets, one entry for each type of event, made from the table of kinds.

What is sent, and what the answer leads to, is `shared.adapters.subscribers`; when it is sent again,
`shared.steps.notify_subscribers`.
"""

from __future__ import annotations

from typing import Any

from functions.http.views.event_schemas import EVENT_DATA, SCHEMAS, CloudEvent
from shared.domain.kinds.kind import Kind
from shared.domain.kinds.state import State
from shared.domain.webhook import (
    ALLOWED_ORIGIN,
    ANSWER_SECONDS,
    BUSY,
    CONTENT_TYPE,
    ORIGIN,
    REQUEST_ORIGIN,
    SIGNATURE,
)
from shared.kinds import EVENT_TYPES
from shared.steps.notify_subscribers import FIRST_EVENTS, LONGEST, MOST_REFUSALS, SHORTEST

Json = dict[str, Any]

HANDSHAKE = "Campanha.Handshake"
TAG = "events"
PARAMETERS, RESPONSES = "#/components/parameters/", "#/components/responses/"
DELIVERY = "Sent at least once, in the order of `sequence`; what comes again has the same `id`."
_BUSY = ", ".join(map(str, sorted(BUSY)))
COMPONENTS: dict[str, Json] = {
    "parameters": {
        "WebhookOrigin": {
            "name": REQUEST_ORIGIN,
            "in": "header",
            "required": True,
            "description": "Who sends: the name that the handshake was answered for.",
            "schema": {"type": "string", "const": ORIGIN, "examples": [ORIGIN]},
        },
        "WebhookSignature": {
            "name": SIGNATURE,
            "in": "header",
            "required": True,
            "description": "`t`: when it was sent, in seconds since 1970. `v1`: HMAC-SHA256, with the secret of the"
            " subscription, over `t`, a point and the body as it came, in hex. To be compared in constant time; what was"
            " sent more than some minutes ago is to be refused.",
            "schema": {
                "type": "string",
                "pattern": "^t=[0-9]+,v1=[0-9a-f]{64}$",
                "examples": [f"t=1795000000,v1={'0' * 64}"],
            },
        },
    },
    "responses": {
        "WebhookTaken": {"description": "Taken: the next event may come. A body is not read."},
        "WebhookGone": {
            "description": "Nothing is sent to this address any more, which shows among the failures."
        },
        "WebhookRetried": {
            "description": f"Not taken: sent again after {SHORTEST} seconds, then after twice as long each time, up to"
            f" {LONGEST // 60} minutes; later events wait. So is what is not answered within {ANSWER_SECONDS} seconds."
            f" With {_BUSY} and 5xx it goes on so until the event is taken. With anything else (redirects are not"
            f" followed) after {MOST_REFUSALS} times it shows among the failures, and when it is refused once more the"
            " event is passed over."
        },
    },
}


def add_webhooks(described: Json) -> None:
    """Puts them into a description, which has the schemas of events already."""
    for group, named in COMPONENTS.items():
        described["components"].setdefault(group, {}).update(named)
    entries = {type_: _delivery(type_, *of) for type_, of in EVENT_TYPES.items()}
    described["webhooks"] = {HANDSHAKE: _handshake(), **entries}


def _delivery(type_: str, kind: Kind[Any], state: State) -> Json:
    name = type_.removeprefix("Campanha.").partition(".")[0]
    body = {"schema": _event(type_, kind, state)}
    operation = {
        "tags": [TAG],
        "operationId": f"receive{name}",
        "summary": f"{kind.name.capitalize()} {state.name}",
        "description": f"{kind.sentence} It {state.sentence}.\n\n{DELIVERY}",
        "parameters": [{"$ref": f"{PARAMETERS}{header}"} for header in COMPONENTS["parameters"]],
        "requestBody": {"required": True, "content": {CONTENT_TYPE: body}},
        "responses": {
            "2XX": {"$ref": f"{RESPONSES}WebhookTaken"},
            "410": {"$ref": f"{RESPONSES}WebhookGone"},
            "default": {"$ref": f"{RESPONSES}WebhookRetried"},
        },
        "security": [],
    }
    return {"post": operation}


def _event(type_: str, kind: Kind[Any], state: State) -> Json:
    """The event that `GET /api/events` lists, of this type."""
    data = {
        "allOf": [
            {"$ref": f"{SCHEMAS}{EVENT_DATA[kind.name].__name__}"},
            {"type": "object", "properties": {"state": {"type": "string", "const": state.name}}},
        ]
    }
    narrowed = {"type": "object", "properties": {"type": {"type": "string", "const": type_}, "data": data}}
    return {"allOf": [{"$ref": f"{SCHEMAS}{CloudEvent.__name__}"}, narrowed]}


def _handshake() -> Json:
    allowed = {
        "description": f"`{ORIGIN}`, or `*`: that events may be sent here.",
        "required": True,
        "schema": {"type": "string", "enum": [ORIGIN, "*"]},
    }
    operation = {
        "tags": [TAG],
        "operationId": "allowWebhook",
        "summary": "Handshake",
        "description": "Before the first event: whether any may be sent there. An address that does not consent gets none."
        f" One that does gets the newest {FIRST_EVENTS} events, then each as it happens.",
        "parameters": [{"$ref": f"{PARAMETERS}WebhookOrigin"}],
        "responses": {
            "2XX": {"description": "It consents, with this header.", "headers": {ALLOWED_ORIGIN: allowed}},
            "410": {"$ref": f"{RESPONSES}WebhookGone"},
            "default": {"description": "It does not consent, as yet: asked again later."},
        },
        "security": [],
    }
    return {"options": operation}
