"""Events told over real HTTP: to a topic through the SDK, and to webhooks that misbehave."""

from __future__ import annotations

import itertools
import json
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from flow.season import lived
from flow.world import World
from jsonschema import Draft202012Validator
from pydantic import SecretStr
from stub_server import Answer, Request, stub_server

from functions.http.webhooks import HANDSHAKE
from running_azure.workspace import Topic
from shared.adapters.subscribers import EventGridTopic, Webhook, topic_client
from shared.domain.network_reach import Reach
from shared.domain.webhook import signature
from shared.errors import Busy, Gone, Refused, Transient
from shared.kinds import EVENT_TYPES
from shared.ledger import Entry, cloud_event
from shared.ports import Row
from shared.settings import WebhookSetting

SECRET = "a secret of this test"
HERE = Reach(loopback=True)
SOURCE = "/subscriptions/s/workspaces/w"


ROOT = Path(__file__).parents[2]
DESCRIBED: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))


def _event(number: int) -> dict[str, Any]:
    told = {
        "id": f"id-{number}",
        "time": "2026-11-24T08:00:00.000+00:00",
        "type": "Campanha.UploadAdmitted.v1",
        "subject": "upload/ação.csv",
        "data": {"kind": "upload", "id": "ação.csv", "state": "admitted", "seq": 2, "rows": number},
    }
    row = Row(partition="p", row="r", value=told, etag="e", changed=datetime.now(UTC))
    return cloud_event(Entry(number=number, value=told, row=row), source=SOURCE)


# --- the topic --------------------------------------------------------------------------------------------


@pytest.fixture
def topic() -> Iterator[Topic]:
    made = Topic()
    yield made
    made.shutdown()
    made.server_close()


def _topic(url: str) -> EventGridTopic:
    client = topic_client(url, AzureKeyCredential("topic-key"))
    return EventGridTopic(client, endpoint=url)


def test_a_topic_gets_cloud_events_with_stable_ids(topic: Topic) -> None:
    subscriber = _topic(topic.url)
    subscriber.handshake()
    assert subscriber.deliver([_event(1), _event(2)]) == 2
    assert subscriber.deliver([_event(1)]) == 1
    first, second, again = topic.events
    assert (first["id"], second["id"], again["id"]) == ("id-1", "id-2", "id-1")
    assert {**first, "time": "the same"} == {**_event(1), "time": "the same"}
    assert datetime.fromisoformat(first["time"]) == datetime.fromisoformat(_event(1)["time"])
    assert topic.keys == {"topic-key"}


@pytest.mark.parametrize(
    ("status", "problem"), [(401, Refused), (400, Refused), (500, Transient), (429, Transient)]
)
def test_a_topic_that_does_not_take_events_is_told_later(
    topic: Topic, status: int, problem: type[Exception]
) -> None:
    for _ in range(10):  # however often the SDK tries
        topic.refusals.put(status)
    with pytest.raises(problem, match=str(status)):
        _topic(topic.url).deliver([_event(1)])


def test_a_topic_that_is_not_there_is_told_later(free_port: Callable[[], int]) -> None:
    with pytest.raises(Transient):
        _topic(f"http://127.0.0.1:{free_port()}/api/events").deliver([_event(1)])


# --- webhooks ---------------------------------------------------------------------------------------------


@dataclass
class Hook:
    """Listens for events, and answers as the test says."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    """Of the next answers; 200 after them."""
    heard: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    handshakes: list[Mapping[str, str]] = field(default_factory=list)
    allows: str = "campanha"
    says: dict[str, str] = field(default_factory=dict)
    """Headers of each answer."""

    def answer(self, request: Request) -> Answer:
        if request.method == "OPTIONS":
            self.handshakes.append(dict(request.headers))
            headers = {"WebHook-Allowed-Origin": self.allows} if self.allows else {}
        else:
            self.heard.append((dict(request.headers), request.body))
            headers = {"Location": "http://127.0.0.1:1/elsewhere"}
        return Answer(self.statuses.pop(0) if self.statuses else 200, headers={**headers, **self.says})


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    with stub_server(made.answer) as address:
        made.url = f"{address}/events?who=bank"
        yield made


def _webhook(hook: Hook) -> Webhook:
    return Webhook(hook.url, SECRET, reach=HERE, now=lambda: 1_795_000_000.0)


def test_a_webhook_is_asked_first(hook: Hook) -> None:
    _webhook(hook).handshake()
    assert [headers["WebHook-Request-Origin"] for headers in hook.handshakes] == ["campanha"]
    hook.allows = "*"
    _webhook(hook).handshake()
    for allowed in ("", "somebody-else"):
        hook.allows = allowed
        with pytest.raises(Refused, match="handshake"):
            _webhook(hook).handshake()


def test_a_webhook_gets_each_event_signed(hook: Hook) -> None:
    assert _webhook(hook).deliver([_event(1), _event(2)]) == 2
    headers, body = hook.heard[0]
    assert json.loads(body) == _event(1)
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert headers["X-Campanha-Signature"] == f"t=1795000000,v1={signature(SECRET, 1795000000, body)}"
    assert signature(SECRET, 1795000001, body) != signature(SECRET, 1795000000, body)


def test_what_a_webhook_gets_is_what_the_description_says(hook: Hook) -> None:
    """Every type of event there is, over HTTP: body, headers and content type."""
    events = {
        entry.value["type"]: cloud_event(entry, source=SOURCE)
        for entry in lived(World()).ledger.events.newest(limit=1000)
    }
    assert events.keys() == EVENT_TYPES.keys()
    subscriber = Webhook(hook.url, SECRET, reach=HERE)
    subscriber.handshake()
    assert subscriber.deliver([*events.values()]) == len(events)
    _holds(hook.handshakes[0], DESCRIBED["webhooks"][HANDSHAKE]["options"])
    for (type_, event), (headers, body) in zip(events.items(), hook.heard, strict=True):
        told = DESCRIBED["webhooks"][type_]["post"]
        _holds(headers, told)
        schema = told["requestBody"]["content"][headers["Content-Type"].partition(";")[0]]["schema"]
        _validator(schema).validate(json.loads(body))
        assert json.loads(body) == event


def _holds(headers: Mapping[str, str], operation: dict[str, Any]) -> None:
    for reference in operation["parameters"]:
        name = reference["$ref"].rpartition("/")[2]
        parameter = DESCRIBED["components"]["parameters"][name]
        _validator(parameter["schema"]).validate(headers[parameter["name"]])


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DESCRIBED["components"]})


def test_the_verification_in_the_docs_takes_ours_and_nothing_else(hook: Hook) -> None:
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    there: dict[str, Any] = {}
    exec(program, there)  # noqa: S102  (our own, of six lines)
    is_genuine = there["is_genuine"]
    Webhook(hook.url, SECRET, reach=HERE).deliver([_event(1)])
    Webhook(hook.url, SECRET, reach=HERE, now=lambda: time.time() - 3600).deliver([_event(1)])
    (headers, body), (old_headers, old_body) = hook.heard
    signed = headers["X-Campanha-Signature"]
    stamp, _, proof = signed.partition(",")
    assert is_genuine(signed, body, SECRET)
    assert not is_genuine(signed, body + b" ", SECRET)
    assert not is_genuine(signed, body, "another secret")
    assert not is_genuine(f"{stamp}0,{proof}", body, SECRET)
    assert not is_genuine(old_headers["X-Campanha-Signature"], old_body, SECRET)
    assert not any(is_genuine(garbage, body, SECRET) for garbage in ("", "t=", "t=1,v1=", stamp, proof))


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (500, Transient),
        (503, Transient),
        (429, Transient),
        (408, Transient),
        (400, Refused),
        (404, Refused),
        (410, Gone),
    ],
)
def test_what_a_webhook_answers_decides_whether_it_is_told_again(
    hook: Hook, status: int, problem: type[Exception]
) -> None:
    hook.statuses = [status]
    with pytest.raises(problem):
        _webhook(hook).deliver([_event(1)])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(hook: Hook, status: int) -> None:
    hook.statuses = [status]
    with pytest.raises(Refused):
        _webhook(hook).deliver([_event(1)])
    assert len(hook.heard) == 1


def test_what_was_taken_before_a_failure_is_not_told_again(hook: Hook) -> None:
    hook.statuses = [200, 200, 503]
    assert _webhook(hook).deliver([_event(n) for n in range(5)]) == 2


def test_a_slow_listener_is_told_the_rest_the_next_time(hook: Hook) -> None:
    """Each look at the clock finds 20 seconds gone, two looks for each event."""
    clock = itertools.count(0, 20)
    slow = Webhook(hook.url, SECRET, reach=HERE, now=lambda: float(next(clock)))
    assert slow.deliver([_event(n) for n in range(5)]) == 2
    assert len(hook.heard) == 2


def test_nobody_listening_is_told_later(free_port: Callable[[], int]) -> None:
    nobody = Webhook(f"http://127.0.0.1:{free_port()}/", SECRET, reach=HERE)
    with pytest.raises(Transient):
        nobody.deliver([_event(1)])


# --- which addresses may be told --------------------------------------------------------------------------

REFUSED = [
    "http://example.com/",
    "ftp://example.com/",
    "https://user:password@example.com/",
    "https://user@example.com/",
    "https:///nothing",
    "https://169.254.169.254/metadata",
    "https://[::ffff:169.254.169.254]/",
    "https://[fe80::1]/",
    "https://0.0.0.0/",
    "https://[::]/",
    "https://224.0.0.1/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://localhost/",
    "https://localhost./",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://2852039166/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1%25eth0]/",
    "https://168.63.129.16/",
    "https://10.1.2.3:8443/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://0xc0a80001/",
    "https://100.64.0.1/",
    "https://[fd00::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://240.0.0.1/",
    "http://localhost/",
    "https://example.com:99999/",
    "file:///etc/passwd",
    "",
    "example.com",
]


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_that_must_not_be_told_is_refused(url: str) -> None:
    assert WebhookSetting(url=url, secret=SecretStr(SECRET)).fault(Reach()) != ""


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/x?y=1",
        "https://20.50.1.2:8443/",
        "https://[2a01:111::1]/",
        "https://xn--bcher-kva.example/",
    ],
)
def test_an_address_of_the_banks_own_may_be_told(url: str) -> None:
    assert WebhookSetting(url=url, secret=SecretStr(SECRET)).fault(Reach()) == ""


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://localhost/", "https://[::1]/"])
def test_this_machine_may_be_told_when_the_owner_says_so(url: str) -> None:
    assert WebhookSetting(url=url, secret=SecretStr(SECRET)).fault(HERE) == ""


@pytest.mark.parametrize("url", ["https://10.1.2.3:8443/", "https://[fd00::1]/", "https://192.168.0.1/"])
def test_a_private_network_may_be_told_when_the_owner_says_so(url: str) -> None:
    setting = WebhookSetting(url=url, secret=SecretStr(SECRET))
    assert setting.fault(Reach(private=True)) == ""
    metadata = WebhookSetting(url="https://169.254.169.254/", secret=SecretStr(SECRET))
    assert metadata.fault(Reach(private=True, loopback=True)) != ""


@pytest.mark.parametrize("leads_to", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_a_name_that_leads_inside_is_refused_when_it_does(
    hook: Hook, monkeypatch: pytest.MonkeyPatch, leads_to: str
) -> None:
    """Whatever it led to before; and nothing is sent there."""
    asked = socket.getaddrinfo

    def rebound(host: str, *more: Any, **named: Any) -> Any:
        return asked(leads_to if host == "bank.example" else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    url = hook.url.replace("127.0.0.1", "bank.example")
    outside, here = Webhook(url, SECRET), Webhook(url, SECRET, reach=HERE)
    for asking in (outside.handshake, lambda: outside.deliver([_event(1)])):
        with pytest.raises(Refused, match="its name leads to an address that is on this machine"):
            asking()
    assert (hook.handshakes, hook.heard) == ([], [])
    if ":" not in leads_to:
        here.handshake()
        assert len(hook.handshakes) == 1


@pytest.mark.parametrize(
    ("rate", "granted"),
    [("60", 60), ("0", 1), ("*", None), ("", None), ("many", None), ("\u00b2", None), ("9" * 5000, None)],
)
def test_the_handshake_says_how_many_a_minute(hook: Hook, rate: str, granted: int | None) -> None:
    hook.says = {"WebHook-Allowed-Rate": rate.encode().decode("latin-1")}
    assert Webhook(hook.url, SECRET, reach=HERE).handshake() == granted


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("said", ["120", formatdate(1_795_000_120, usegmt=True)])
def test_the_time_a_webhook_names_is_told_on(hook: Hook, status: int, said: str) -> None:
    hook.says, hook.statuses = {"Retry-After": said}, [200, status]
    webhook = Webhook(hook.url, SECRET, reach=HERE, now=lambda: 1_795_000_000.0)
    with pytest.raises(Busy) as busy:
        webhook.deliver([_event(1), _event(2), _event(3)])
    assert (busy.value.seconds, busy.value.taken, len(hook.heard)) == (120, 1, 2)


@pytest.mark.parametrize(
    "said", ["soon", "-5", "Thu, 01 Jan 1970 00:00:00 GMT", "0", f"Fri, {'9' * 30} Dec 2026 00:00:00 GMT"]
)
def test_a_time_that_is_none_is_nobodys_wish(hook: Hook, said: str) -> None:
    hook.says, hook.statuses = {"Retry-After": said}, [503]
    with pytest.raises(Transient) as problem:
        Webhook(hook.url, SECRET, reach=HERE).deliver([_event(1)])
    assert not isinstance(problem.value, Busy)
