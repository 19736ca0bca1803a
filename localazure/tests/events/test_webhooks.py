"""Webhooks: they are asked first, then sent one event at a time, and again when they do not take it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent, EventGridPublisherClient

from localazure.events.subscriptions import CLOUD_EVENTS
from localazure.storage.supervisor import Azurite
from running_azure.events import KEY, Pump
from running_azure.receiver import OK, Answer, Receiver, Sent, agreeing
from running_azure.waiting import until


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def grid(azurite_service: Azurite, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Pump]:
    """An Event Grid to which nobody has subscribed."""
    made = Pump(state=tmp_path, port=free_port(), azurite=azurite_service, subscriptions=[])
    made.start()
    yield made
    made.stop()


def subscribed(grid: Pump, receiver: Receiver, *, name: str = "hook", **properties: Any) -> requests.Response:
    hook = {"endpointUrl": receiver.url, "deliveryAttributeMappings": properties.pop("mappings", [])}
    destination = {"endpointType": "WebHook", "properties": hook}
    body = {"topic": "custom", "properties": {"destination": destination, **properties}}
    headers = {"aeg-sas-key": KEY}
    return requests.put(f"{grid.url}/subscriptions/{name}", json=body, headers=headers, timeout=40)


def publish(grid: Pump, *events: EventGridEvent | CloudEvent) -> None:
    endpoint = f"{grid.url}/topics/custom/api/events"
    with EventGridPublisherClient(endpoint, AzureKeyCredential(KEY)) as publisher:
        publisher.send(list(events))


def event(subject: str = "s", **data: Any) -> EventGridEvent:
    return EventGridEvent(subject=subject, event_type="Made", data=data, data_version="2.1")


def test_a_webhook_is_asked_and_then_sent_one_event_at_a_time(grid: Pump, receiver: Receiver) -> None:
    header = {"name": "x-own", "type": "Static", "properties": {"value": "mine"}}
    made = subscribed(grid, receiver, mappings=[header])
    assert (made.status_code, made.json()["provisioningState"]) == (201, "Succeeded")
    [asked] = receiver.sent
    assert asked.headers["aeg-event-type"] == "SubscriptionValidation"
    assert asked.headers["aeg-subscription-name"] == "HOOK"
    [question] = asked.body
    assert question["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent"
    assert question["topic"].endswith("/providers/Microsoft.EventGrid/topics/custom")
    assert question["data"]["validationUrl"].startswith(f"{grid.url}/subscriptions/hook/validate?id=")

    publish(grid, event("a", n=1), event("b", n=2))
    sent = receiver.await_events(2)
    assert sorted(one.body[0]["subject"] for one in sent) == ["a", "b"]
    assert [len(one.body) for one in sent] == [1, 1]
    assert {one.path for one in sent} == {"/hook?code=secret"}
    first = sent[0].headers
    assert first["content-type"] == "application/json; charset=utf-8"
    assert (first["aeg-event-type"], first["aeg-delivery-count"]) == ("Notification", "0")
    assert (first["aeg-data-version"], first["aeg-metadata-version"]) == ("2.1", "1")
    assert first["x-own"] == "mine"


def test_cloud_events_are_asked_for_by_options_and_come_as_themselves(grid: Pump, receiver: Receiver) -> None:
    """An EventGridEvent becomes one on the way; its topic is the source."""
    made = subscribed(grid, receiver, eventDeliverySchema=CLOUD_EVENTS)
    assert made.json()["provisioningState"] == "Succeeded"
    [asked] = receiver.sent
    assert (asked.method, asked.headers["webhook-request-origin"]) == ("OPTIONS", "eventgrid.azure.net")
    publish(grid, event("a", n=1))
    publish(
        grid, CloudEvent(source="/me", type="Made", subject="b", data={"n": 2}, extensions={"region": "eu"})
    )
    sent = {one.body["subject"]: one for one in receiver.await_events(2)}
    assert {one.headers["content-type"] for one in sent.values()} == {
        "application/cloudevents+json; charset=utf-8"
    }
    converted = sent["a"].body
    assert converted["specversion"] == "1.0"
    assert converted["source"].endswith("/topics/custom")
    assert (converted["type"], converted["data"], converted["dataschema"]) == ("Made", {"n": 1}, "#2.1")
    assert (sent["b"].body["source"], sent["b"].body["region"]) == ("/me", "eu")


def accepts(_: Sent) -> Answer:
    return 202, {}, b""


def other_code(_: Sent) -> Answer:
    return 200, {}, b'{"validationResponse": "no"}'


def other_origin(_: Sent) -> Answer:
    return 200, {"WebHook-Allowed-Origin": "example.com"}, b""


@pytest.mark.parametrize(
    ("answer", "schema", "said"),
    [
        (accepts, None, "it answered 202, not 200"),
        (other_code, None, "another validation code"),
        (other_origin, CLOUD_EVENTS, "it allows example.com"),
        (accepts, CLOUD_EVENTS, "it answered OPTIONS with 202"),
    ],
)
def test_who_does_not_agree_gets_no_subscription(
    grid: Pump, receiver: Receiver, answer: Callable[[Sent], Answer], schema: str | None, said: str
) -> None:
    receiver.answer = answer
    made = subscribed(grid, receiver, **({"eventDeliverySchema": schema} if schema else {}))
    assert made.status_code == 400
    assert made.json()["error"]["code"] == "EndpointValidationFailed"
    assert said in made.json()["error"]["message"]
    assert requests.get(f"{grid.url}/subscriptions", timeout=10).json()["value"] == []


def test_nobody_listening_gets_no_subscription(
    grid: Pump, receiver: Receiver, free_port: Callable[[], int]
) -> None:
    receiver.url = f"http://127.0.0.1:{free_port()}/nobody?code=secret"
    made = subscribed(grid, receiver)
    assert made.status_code == 400
    assert "cannot be reached" in made.json()["error"]["message"]
    assert "secret" not in made.text


def test_a_webhook_may_agree_by_calling_back(grid: Pump, receiver: Receiver) -> None:
    """What was published meanwhile is held, and goes out then."""
    receiver.answer = lambda _: OK
    made = subscribed(grid, receiver)
    assert made.json()["provisioningState"] == "AwaitingManualAction"
    publish(grid, event("held"))
    back = receiver.sent[0].body[0]["data"]["validationUrl"]
    assert requests.get(f"{back}x", timeout=10).status_code == 403
    assert receiver.events == []
    assert requests.get(back, timeout=10).status_code == 200
    assert receiver.await_events(1)[0].body[0]["subject"] == "held"
    [told] = requests.get(f"{grid.url}/subscriptions", timeout=10).json()["value"]
    assert told["provisioningState"] == "Succeeded"


def test_what_is_not_taken_comes_again_and_counts(grid: Pump, receiver: Receiver) -> None:
    def answer(sent: Sent) -> Answer:
        return agreeing(sent) if sent.is_validation or len(receiver.events) > 2 else (500, {}, b"")

    receiver.answer = answer
    subscribed(grid, receiver)
    publish(grid, event())
    sent = receiver.await_events(3)
    assert [one.headers["aeg-delivery-count"] for one in sent] == ["0", "1", "2"]
    assert len({one.body[0]["id"] for one in sent}) == 1


def test_one_that_fails_does_not_hold_up_the_others(grid: Pump, receiver: Receiver) -> None:
    def answer(sent: Sent) -> Answer:
        return (
            (500, {}, b"") if not sent.is_validation and sent.body[0]["subject"] == "bad" else agreeing(sent)
        )

    receiver.answer = answer
    subscribed(grid, receiver)
    publish(grid, event("bad"), *(event(f"good{number}") for number in range(8)))

    def all_good() -> bool:
        return len({one.body[0]["subject"] for one in receiver.events} - {"bad"}) == 8

    until(all_good, "the good ones")


def test_a_slow_webhook_holds_up_no_other_subscription(grid: Pump, receiver: Receiver) -> None:
    gate = threading.Event()

    def slow(sent: Sent) -> Answer:
        if not sent.is_validation:
            gate.wait(20)
        return agreeing(sent)

    with Receiver() as slow_one:
        slow_one.answer = slow
        subscribed(grid, slow_one, name="slow")
        subscribed(grid, receiver)
        publish(grid, *(event(str(number)) for number in range(6)))
        assert len(receiver.await_events(6)) == 6
        assert len(slow_one.await_events(4)) == 4
        gate.set()
        slow_one.await_events(6)


def test_a_webhook_that_hangs_does_not_keep_it_from_stopping(grid: Pump, receiver: Receiver) -> None:
    """What it has not taken by then comes again after the next start."""
    gate = threading.Event()

    def hang(sent: Sent) -> Answer:
        if not sent.is_validation:
            gate.wait(30)
        return agreeing(sent)

    receiver.answer = hang
    subscribed(grid, receiver)
    publish(grid, event("kept"))
    receiver.await_events(1)
    assert grid.stop() == 0
    receiver.answer = agreeing
    gate.set()
    grid.start()
    assert receiver.await_events(2)[1].body[0]["subject"] == "kept"


def test_a_subscription_outlives_a_kill_and_is_not_asked_again(grid: Pump, receiver: Receiver) -> None:
    receiver.answer = lambda sent: agreeing(sent) if sent.is_validation else (503, {}, b"")
    subscribed(grid, receiver)
    publish(grid, event("kept"))
    receiver.await_events(1)
    grid.kill()
    receiver.answer = agreeing
    grid.start()
    until(lambda: len(receiver.events) >= 2, "the second delivery")
    assert receiver.events[-1].body[0]["subject"] == "kept"
    assert sum(one.is_validation for one in receiver.sent) == 1
    publish(grid, event("new"))
    until(lambda: receiver.events[-1].body[0]["subject"] == "new", "the new one")


def test_a_deleted_subscription_gets_nothing_more(grid: Pump, receiver: Receiver) -> None:
    subscribed(grid, receiver)
    url = f"{grid.url}/subscriptions/hook"
    assert requests.delete(url, timeout=10).status_code == 401
    assert requests.delete(url, headers={"aeg-sas-key": KEY}, timeout=10).status_code == 200
    assert requests.delete(url, headers={"aeg-sas-key": KEY}, timeout=10).status_code == 204
    publish(grid, event())
    assert requests.get(f"{grid.url}/health", timeout=10).json() == {
        "status": "ok", "delivered": 0, "waiting": 0,
    }  # fmt: skip
    assert receiver.events == []


def test_who_asks_without_the_key_sees_no_keys_of_webhooks(grid: Pump, receiver: Receiver) -> None:
    secret = {"name": "x-own", "type": "Static", "properties": {"value": "mine", "isSecret": True}}
    plain = {"name": "x-plain", "type": "Static", "properties": {"value": "yours"}}
    assert subscribed(grid, receiver, mappings=[secret, plain]).status_code == 201
    [told] = requests.get(f"{grid.url}/subscriptions", timeout=10).json()["value"]
    hook = told["properties"]["destination"]["properties"]
    assert hook["endpointUrl"] == receiver.url.partition("?")[0]
    values = [one["properties"]["value"] for one in hook["deliveryAttributeMappings"]]
    assert values == [None, "yours"]
    publish(grid, event())
    [sent] = receiver.await_events(1)
    assert (sent.path, sent.headers["x-own"]) == ("/hook?code=secret", "mine")


def test_a_malformed_subscription_is_refused_with_the_reason(grid: Pump, receiver: Receiver) -> None:
    made = subscribed(grid, receiver, labels=["a"], expirationTimeUtc="2030-01-01")
    assert made.status_code == 400
    assert "expirationTimeUtc is not known here" in made.json()["error"]["message"]
    answer = requests.put(
        f"{grid.url}/subscriptions/hook", data="{", headers={"aeg-sas-key": KEY}, timeout=10
    )
    assert answer.status_code == 400


def test_a_webhook_of_the_file_may_start_later_than_event_grid(
    azurite_service: Azurite, tmp_path: Path, free_port: Callable[[], int], receiver: Receiver
) -> None:
    """Event Grid and the app behind the webhook are started together: it is asked until it answers."""
    receiver.answer = lambda _: (503, {}, b"")
    entry = {"name": "hook", "topic": "custom", "webhook": receiver.url}
    grid = Pump(state=tmp_path, port=free_port(), azurite=azurite_service, subscriptions=[entry])
    grid.start()
    try:
        publish(grid, event("early"))
        until(lambda: len(receiver.sent) > 1, "a second question")
        receiver.answer = agreeing
        assert receiver.await_events(1)[0].body[0]["subject"] == "early"
        assert "the handshake failed: it answered 503" in grid.log.read_text()
    finally:
        grid.stop()


def test_the_log_holds_no_data_and_no_keys(grid: Pump, receiver: Receiver) -> None:
    receiver.answer = lambda sent: agreeing(sent) if sent.is_validation else (400, {}, b"")
    subscribed(grid, receiver)
    publish(grid, event("a", iban="PT50-0002"))
    until(lambda: "is dropped: UndeliverableDueToClientError" in grid.log.read_text(), "the drop")
    said = grid.log.read_text()
    assert "PT50" not in said
    assert "secret" not in said
    assert KEY not in said
