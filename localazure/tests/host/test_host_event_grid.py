"""Event Grid triggers: the handshake, one call an event, and Event Grid itself calling."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.credentials import AzureKeyCredential
from azure.eventgrid import EventGridEvent, EventGridPublisherClient

from localazure.ports import lasting_port
from localazure.storage.supervisor import Azurite
from running_azure.events import KEY, Pump
from running_azure.host import Answer, Hosted

APP = """
@app.event_grid_trigger(arg_name="event")
def made(event: func.EventGridEvent) -> None:
    note("made", subject=event.subject, data=event.get_json(), kind=type(event).__name__)
    if event.subject == "bad":
        raise ValueError("this one never works")


@app.event_grid_trigger(arg_name="event")
async def told(event: func.CloudEvent) -> None:
    note("told", source=event.source, data=event.get_json(), kind=type(event).__name__)
"""


@pytest.fixture(scope="module")
def calm(lasting_app: Callable[..., Hosted]) -> Hosted:
    """One host for the tests that leave nothing behind."""
    made = lasting_app(APP)
    made.start()
    return made


@pytest.fixture
def host(hosted_app: Callable[..., Hosted]) -> Hosted:
    made = hosted_app(APP)
    made.start()
    return made


def event(subject: str) -> dict[str, Any]:
    return {"id": "1", "topic": "/t", "subject": subject, "eventType": "Made", "data": {"n": 1},
            "eventTime": "2026-11-24T10:00:00Z", "dataVersion": "1", "metadataVersion": "1"}  # fmt: skip


CLOUD = {"id": "1", "specversion": "1.0", "source": "/me", "type": "Told", "data": {"n": 2}}


def system_key(host: Hosted) -> str:
    answer = host.ask(
        "GET", "/admin/host/systemkeys/eventgrid_extension", headers={"x-functions-key": host.master_key}
    )
    key: str = json.loads(answer.body)["value"]
    return key


def call(
    host: Hosted, body: Any, *, name: str = "made", kind: str = "Notification", method: str = "POST"
) -> Answer:
    path = f"/runtime/webhooks/EventGrid?functionName={name}&code={system_key(host)}"
    return host.ask(method, path, body=json.dumps(body).encode(), headers={"aeg-event-type": kind})


def test_the_handshake_of_either_schema(calm: Hosted) -> None:
    data = {"validationCode": "abc"}
    array = call(calm, [{"data": data}], kind="SubscriptionValidation")
    assert (array.status, json.loads(array.body)) == (200, {"validationResponse": "abc"})
    single = call(calm, {"data": json.dumps(data)}, kind="SubscriptionValidation")
    assert json.loads(single.body) == {"validationResponse": "abc"}
    path = f"/runtime/webhooks/EventGrid?functionName=told&code={system_key(calm)}"
    options = calm.ask("OPTIONS", path, headers={"WebHook-Request-Origin": "eventgrid.azure.net"})
    assert (options.status, options.header("webhook-allowed-origin")) == (200, "eventgrid.azure.net")


def test_each_event_is_a_call(host: Hosted) -> None:
    assert call(host, [event("a"), event("b")]).status == 202
    notes = host.await_notes("made", 2)
    assert sorted(one["subject"] for one in notes) == ["a", "b"]
    assert {one["kind"] for one in notes} == {"EventGridEvent"}
    assert call(host, CLOUD, name="told").status == 202
    assert host.await_notes("told")[0] == {
        "what": "told", "source": "/me", "data": {"n": 2}, "kind": "CloudEvent",
    }  # fmt: skip


def test_one_that_fails_has_all_of_them_sent_again(host: Hosted) -> None:
    answer = call(host, [event("good"), event("bad")])
    assert (answer.status, b"made" in answer.body) == (500, True)
    assert len(host.await_notes("made", 2)) == 2


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("Unsubscribe", [], 202),
        ("Other", [], 400),
        ("SubscriptionValidation", [{"data": {}}], 400),
        ("SubscriptionValidation", [], 400),
    ],
)
def test_what_else_event_grid_may_say(calm: Hosted, kind: str, body: Any, status: int) -> None:
    assert call(calm, body, kind=kind).status == status


def test_who_may_call_and_what(calm: Hosted) -> None:
    path = "/runtime/webhooks/EventGrid?functionName=made"
    assert calm.ask("POST", path).status == 401
    assert calm.ask("POST", f"{path}&code={calm.function_key}").status == 401
    assert calm.ask("POST", f"{path}&code={calm.master_key}").status == 400
    nobody = call(calm, [], name="nobody")
    assert (nobody.status, nobody.body) == (404, b"cannot find function: 'nobody'")
    assert call(calm, [event("a")], method="PATCH").status == 404
    assert calm.ask("POST", f"/runtime/webhooks/blobs?code={calm.master_key}").status == 404


def test_an_event_may_be_given_by_hand(host: Hosted) -> None:
    master = {"x-functions-key": host.master_key}
    body = json.dumps({"input": json.dumps(event("by hand"))}).encode()
    assert host.ask("POST", "/admin/functions/made", body=body, headers=master).status == 202
    assert host.await_notes("made")[0]["subject"] == "by hand"
    assert host.ask("POST", "/admin/functions/made", body=b'{"input": "x"}', headers=master).status == 400


def test_event_grid_delivers_to_it(host: Hosted, azurite_service: Azurite, tmp_path: Path) -> None:
    """Both parts together, as Azure's: a subscription to the webhook, a publish by the SDK, a call."""
    grid = Pump(state=tmp_path, port=lasting_port(), azurite=azurite_service, subscriptions=[])
    grid.start()
    try:
        hook = f"http://127.0.0.1:{host.port}/runtime/webhooks/EventGrid?functionName=made&code={system_key(host)}"
        body = {"topic": "custom", "webhook": hook}
        made = requests.put(
            f"{grid.url}/subscriptions/made", json=body, headers={"aeg-sas-key": KEY}, timeout=30
        )
        assert (made.status_code, made.json()["provisioningState"]) == (201, "Succeeded")
        endpoint = f"{grid.url}/topics/custom/api/events"
        with EventGridPublisherClient(endpoint, AzureKeyCredential(KEY)) as publisher:
            publisher.send(EventGridEvent(subject="sdk", event_type="Made", data={"n": 3}, data_version="1"))
        assert host.await_notes("made")[0]["data"] == {"n": 3}
    finally:
        grid.stop()
