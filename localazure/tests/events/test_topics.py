"""Custom topics through the real Event Grid SDK, with both schemas, keys, faults."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.credentials import AzureKeyCredential, AzureSasCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent, EventGridPublisherClient, generate_sas

from localazure.ports import lasting_port
from localazure.storage.supervisor import Azurite
from running_azure.events import KEY, Inbox, Pump
from running_azure.waiting import until


def _publisher(pump: Pump, key: str = KEY) -> EventGridPublisherClient:
    return EventGridPublisherClient(f"{pump.url}/topics/custom/api/events", AzureKeyCredential(key))


def _completed(run: str, event_type: str = "Run.Completed") -> EventGridEvent:
    return EventGridEvent(
        subject=f"runs/{run}", event_type=event_type, data={"runId": run}, data_version="1.0"
    )


def _faults(pump: Pump, **values: Any) -> requests.Response:
    return requests.post(f"{pump.url}/faults", json=values, headers={"aeg-sas-key": KEY}, timeout=10)


def test_event_grid_events_arrive_with_their_topic(pump: Pump, inbox: Inbox) -> None:
    with _publisher(pump) as publisher:
        publisher.send([_completed("a"), _completed("ignored", "Run.Started"), _completed("b")])
    first, second = inbox.take(2)
    assert (first["data"], second["data"]) == ({"runId": "a"}, {"runId": "b"})
    assert first["topic"].endswith("/providers/Microsoft.EventGrid/topics/custom")
    assert first["metadataVersion"] == "1"


def test_cloud_events_arrive_as_they_were_sent(pump: Pump, inbox: Inbox) -> None:
    with _publisher(pump) as publisher:
        publisher.send(CloudEvent(source="/shop", type="Run.Completed", data={"runId": "c"}))
    (event,) = inbox.take(1)
    assert (event["specversion"], event["source"], event["data"]) == ("1.0", "/shop", {"runId": "c"})


def test_a_wrong_key_is_refused(pump: Pump) -> None:
    with _publisher(pump, "wrong") as publisher, pytest.raises(ClientAuthenticationError):
        publisher.send(_completed("x"))


@pytest.mark.parametrize(("minutes", "allowed"), [(5, True), (-5, False)])
def test_a_sas_token_is_good_until_it_expires(pump: Pump, inbox: Inbox, minutes: int, allowed: bool) -> None:
    endpoint = f"{pump.url}/topics/custom/api/events"
    token = generate_sas(endpoint, KEY, datetime.now(UTC) + timedelta(minutes=minutes))
    with EventGridPublisherClient(endpoint, AzureSasCredential(token)) as publisher:
        if allowed:
            publisher.send(_completed("sas"))
            inbox.take(1)
        else:
            with pytest.raises(ClientAuthenticationError):
                publisher.send(_completed("sas"))


def test_what_is_no_event_is_refused_with_the_reason(pump: Pump) -> None:
    with _publisher(pump) as publisher, pytest.raises(HttpResponseError, match="eventType missing"):
        publisher.send([{"id": "1", "subject": "s", "eventTime": "2026-01-01T00:00:00Z", "dataVersion": "1"}])


@pytest.mark.parametrize(
    ("content_type", "body", "said"),
    [
        ("application/json", b"{", "the body is not JSON"),
        ("application/json", b"{}", "not a JSON array of EventGridEvent objects"),
        ("application/json", b"[1]", "not a JSON array of EventGridEvent objects"),
        (
            "application/json",
            b'[{"id":"1","subject":"s","eventType":"t","eventTime":"soon","dataVersion":""}]',
            "the eventTime 'soon', which is no time",
        ),
        (
            "application/cloudevents-batch+json; charset=utf-8",
            b'[{"id":"1"}]',
            "source, type, specversion missing",
        ),
        (
            "application/cloudevents+json",
            b'{"id":"1","source":"s","type":"t","specversion":"0.3"}',
            "specversion '0.3': 1.0",
        ),
    ],
)
def test_a_malformed_request_is_refused(pump: Pump, content_type: str, body: bytes, said: str) -> None:
    headers = {"aeg-sas-key": KEY, "content-type": content_type}
    answer = requests.post(f"{pump.url}/topics/custom/api/events", data=body, headers=headers, timeout=10)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_too_much_at_once_is_refused(pump: Pump) -> None:
    """A batch has at most 1 MiB."""
    large = EventGridEvent(subject="s", event_type="Run.Completed", data="x" * 2**20, data_version="1")
    with _publisher(pump) as publisher, pytest.raises(HttpResponseError) as refused:
        publisher.send(large)
    assert refused.value.status_code == 413


def test_what_was_accepted_survives_a_kill(pump: Pump, azurite: str, name: str) -> None:
    """The queue is missing, so that nothing can be delivered before the kill."""
    with _publisher(pump) as publisher:
        publisher.send([_completed(f"{number}") for number in range(20)])
    pump.kill()
    late = Inbox(azurite, name)
    late.create()
    pump.start()
    assert [event["data"]["runId"] for event in late.take(20)] == [str(number) for number in range(20)]


def test_what_is_accepted_from_the_first_moment_on_is_delivered(
    azurite_service: Azurite, tmp_path: Path, free_port: Callable[[], int], inbox: Inbox
) -> None:
    """A publisher that is there before Event Grid, and the subscription it publishes for comes last."""
    others = [{"name": f"other{number}", "topic": "other", "queue": inbox.name} for number in range(300)]
    wanted = {"name": "wanted", "topic": "custom", "queue": inbox.name}
    pump = Pump(state=tmp_path, port=free_port(), azurite=azurite_service, subscriptions=[*others, wanted])

    def accepted() -> bool:
        with suppress(requests.ConnectionError):
            event = [{"id": "1", "subject": "s", "eventType": "Made", "eventTime": "2026-01-01T00:00:00Z",
                      "data": {}, "dataVersion": "1"}]  # fmt: skip
            url, key = f"{pump.url}/topics/custom/api/events", {"aeg-sas-key": KEY}
            return requests.post(url, json=event, headers=key, timeout=40).ok
        return False

    starting = threading.Thread(target=pump.start)
    starting.start()
    try:
        until(accepted, "the first answer")
        inbox.take(1)
    finally:
        starting.join()
        pump.stop()


def test_a_second_one_of_the_same_folder_is_refused(pump: Pump, tmp_path: Path, inbox: Inbox) -> None:
    hurried = (
        "import sys; from localazure.events import __main__ as it; it.TURN_SECONDS = 0.5; sys.exit(it.main())"
    )
    second = subprocess.run(
        [sys.executable, "-c", hurried, "--state", str(tmp_path), f"--port={lasting_port()}"],
        capture_output=True, text=True, timeout=40, check=False,
    )  # fmt: skip
    assert second.returncode == 2
    assert f"another `localazure events` has {tmp_path}/events" in second.stderr
    with _publisher(pump) as publisher:
        publisher.send(_completed("a"))
    inbox.take(1)


def test_duplicates_on_request(pump: Pump, inbox: Inbox) -> None:
    assert _faults(pump, duplicate=1).json()["duplicate"] == 1.0
    with _publisher(pump) as publisher:
        publisher.send(_completed("twice"))
    first, second = inbox.take(2)
    assert first == second


def test_drops_and_delays_on_request(pump: Pump, inbox: Inbox) -> None:
    with _publisher(pump) as publisher:
        _faults(pump, drop=1)
        publisher.send(_completed("dropped"))
        _faults(pump, drop=0, delay=1, delay_seconds=1.5)
        publisher.send(_completed("late"))
        _faults(pump, delay=0)
        publisher.send(_completed("prompt"))
    assert [event["data"]["runId"] for event in inbox.take(2)] in (["prompt", "late"], ["late", "prompt"])


def test_a_burst_out_of_order_on_request(pump: Pump, inbox: Inbox) -> None:
    _faults(pump, reorder=0.5, reorder_seconds=1)
    sent = [f"{number:02}" for number in range(30)]
    with _publisher(pump) as publisher:
        publisher.send([_completed(run) for run in sent])
    came = [event["data"]["runId"] for event in inbox.take(30)]
    assert sorted(came) == sent
    assert came != sent


def test_a_wrong_fault_is_named(pump: Pump) -> None:
    answer = _faults(pump, drop=3)
    assert answer.status_code == 400
    assert "drop is 3" in answer.json()["error"]["message"]
    assert requests.post(f"{pump.url}/faults", json={"drop": 1}, timeout=10).status_code == 401


def test_health_counts(pump: Pump, inbox: Inbox) -> None:
    with _publisher(pump) as publisher:
        publisher.send(_completed("counted"))
    inbox.take(1)
    health = requests.get(f"{pump.url}/health", timeout=10).json()
    assert health["status"] == "ok"
    assert health["delivered"] + health["waiting"] == 1
