"""The description's webhooks: each type of event has one, and every event that comes about is as its webhook says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flow.season import lived
from flow.test_notifying import Listener, Telling
from jsonschema import Draft202012Validator, ValidationError

from functions.http.views.event_schemas import EVENT_DATA
from functions.http.webhooks import HANDSHAKE
from shared.domain.facts import NotificationDue
from shared.domain.kinds.field import public_parts
from shared.kinds import EVENT_TYPES, KINDS
from shared.steps.notify_subscribers import AT_ONCE
from tests.http.asking import VERSION, app_over, client_of

Json = dict[str, Any]
DESCRIBED: Json = json.loads(
    (Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8")
)
WEBHOOKS: Json = DESCRIBED["webhooks"]
DELIVERIES = {type_: of["post"] for type_, of in WEBHOOKS.items() if type_ != HANDSHAKE}


@cache
def validator(type_: str) -> Draft202012Validator:
    (content,) = DELIVERIES[type_]["requestBody"]["content"].values()
    return Draft202012Validator({**content["schema"], "components": DESCRIBED["components"]})


@pytest.fixture(scope="module")
def season() -> Telling:
    """A season in which whatever can come about does, and somebody who has subscribed to it."""
    world = Telling()
    world.listeners = (Listener(),)
    world.tell(NotificationDue(tick="0"))
    lived(world)
    for tick in range(1, 50):
        world.tell(NotificationDue(tick=str(tick)))
    return world


@pytest.fixture(scope="module")
def heard(season: Telling) -> list[Json]:
    """The events as a subscriber got them."""
    (listener,) = season.listeners
    assert len(listener.heard) == season.ledger.events.count() > 4 * AT_ONCE
    return listener.heard


# --- what is described --------------------------------------------------------------------------------------


def test_each_state_of_each_kind_has_a_webhook_and_nothing_else_has() -> None:
    expected = {
        f"Campanha.{kind.name.capitalize()}{state.name.title().replace('-', '')}.v1"
        for kind in KINDS
        for state in kind.states
    }
    assert expected == DELIVERIES.keys() == EVENT_TYPES.keys()
    assert [*WEBHOOKS] == [HANDSHAKE, *EVENT_TYPES]


@pytest.mark.parametrize("type_", EVENT_TYPES)
def test_each_webhook_says_what_happened_and_what_an_answer_leads_to(type_: str) -> None:
    kind, state = EVENT_TYPES[type_]
    told = DELIVERIES[type_]
    assert state.sentence in told["description"]
    assert kind.sentence in told["description"]
    assert told["responses"].keys() == {"2XX", "410", "default"}
    assert [*told["requestBody"]["content"]] == ["application/cloudevents+json"]
    assert _headers(told) == ["WebHook-Request-Origin", "X-Campanha-Signature"]


def test_the_handshake_is_described() -> None:
    asked = WEBHOOKS[HANDSHAKE]["options"]
    assert _headers(asked) == ["WebHook-Request-Origin"]
    assert asked["responses"]["2XX"]["headers"]["WebHook-Allowed-Origin"]["required"]


def _headers(operation: Json) -> list[str]:
    names = [parameter["$ref"].rpartition("/")[2] for parameter in operation["parameters"]]
    return [DESCRIBED["components"]["parameters"][name]["name"] for name in names]


def test_operations_of_webhooks_have_ids_of_their_own() -> None:
    operations = [
        operation
        for group in ("paths", "webhooks")
        for methods in DESCRIBED[group].values()
        for operation in methods.values()
    ]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids)) > len(WEBHOOKS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_event_may_bring_each_public_field_of_its_kind_and_needs_none(kind: Any) -> None:
    """Times that are read from the history are no news of their own: the event has its time."""
    head = ["kind", "id", "state", "seq"]
    told = DESCRIBED["components"]["schemas"][EVENT_DATA[kind.name].__name__]
    fields = [part.wire_name for part in public_parts(kind.values) if not part.about.entered]
    assert [*told["properties"]] == [*head, *fields]
    assert told["required"] == head


# --- what comes about ---------------------------------------------------------------------------------------


def test_in_a_season_every_type_of_event_comes_about(heard: list[Json]) -> None:
    assert {event["type"] for event in heard} == EVENT_TYPES.keys()


def test_every_event_is_as_its_webhook_says_and_brings_nothing_else(heard: list[Json]) -> None:
    closed = _closed(DESCRIBED["components"])
    for event in heard:
        validator(event["type"]).validate(event)
        whole = {"$ref": "#/components/schemas/CloudEvent", "components": closed}
        Draft202012Validator(whole).validate(event)


def test_every_id_is_written_as_its_kind_says(season: Telling) -> None:
    for kind in KINDS:
        ids = [record.id for record in season.ledger.newest(kind.name, limit=100)]
        assert ids
        assert [id_ for id_ in ids if not re.search(kind.id_pattern, id_)] == [], kind.name


def test_an_event_is_of_one_webhook_alone(heard: list[Json]) -> None:
    for event in {event["type"]: event for event in heard}.values():
        assert [type_ for type_ in EVENT_TYPES if validator(type_).is_valid(event)] == [event["type"]]


def test_the_api_lists_what_subscribers_get_field_for_field(season: Telling, heard: list[Json]) -> None:
    reader = client_of(app_over(season))
    listed = list(_pages(reader))
    assert listed[::-1] == heard


def _pages(reader: Any) -> Iterator[Json]:
    more: Json = {}
    while True:
        page = reader.get("/api/events", params={**VERSION, "maxpagesize": 50, **more})
        yield from page.json()["value"]
        if "nextLink" not in page.json() or not page.json()["value"]:
            return
        more = {"after": page.json()["value"][-1]["sequence"].lstrip("0") or "0"}


def test_a_kind_and_a_type_to_come_are_described_too(heard: list[Json]) -> None:
    """Whoever reads today's description has a shape for it, and not the shape of another kind."""
    components = DESCRIBED["components"]
    whole = Draft202012Validator({"$ref": "#/components/schemas/CloudEvent", "components": components})
    data = {"kind": "forecast", "id": "f1", "state": "made", "seq": 1, "horizonDays": 30}
    whole.validate({**heard[0], "type": "Campanha.ForecastMade.v1", "data": data})
    with pytest.raises(ValidationError):
        whole.validate({**heard[0], "data": {**heard[0]["data"], "rows": "many"}})


def _closed(part: Any) -> Any:
    """Nothing may stand in an object that is not described, and no word in a list that may grow."""
    if isinstance(part, list):
        return [_closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    made = {{"x-extensible-enum": "enum"}.get(name, name): _closed(of) for name, of in part.items()}
    return made | ({"additionalProperties": False} if isinstance(part.get("properties"), dict) else {})


def test_a_field_that_is_not_described_is_found(heard: list[Json]) -> None:
    whole = {"$ref": "#/components/schemas/CloudEvent", "components": _closed(DESCRIBED["components"])}
    event = {**heard[0], "data": {**heard[0]["data"], "surprise": 1}}
    assert not Draft202012Validator(whole).is_valid(event)
