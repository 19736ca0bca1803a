"""The page on events, `docs/events.md`: made of the API's description, which has an event that came about in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from functions.http.views.event_schemas import EVENT_DATA
from functions.http.webhooks import HANDSHAKE
from shared.domain.webhook import CONTENT_TYPE, ORIGIN
from shared.kinds import EVENT_TYPES
from shared.steps.notify_subscribers import FIRST_EVENTS

Json = dict[str, Any]

EXAMPLE = "Campanha.UploadAdmitted.v1"
HEAD = """# Events

Every move of anything from one state to the next is one event: an upload is admitted, a run is completed, a model is
released. `GET /api/events` lists them, and whoever has subscribed gets each, field for field the same, as
[CloudEvents 1.0](https://github.com/cloudevents/spec). This page, and the `webhooks` in the API's description (OpenAPI
3.1), from which receivers are generated, are made from the table of kinds by `python docs/generated.py`.
"""
DATA = """`data` begins with `kind`, `id`, `state` and `seq` (the number of the change of this one thing). Then comes what
became known with the move, each field under the name that it has in [kinds.md](kinds.md) and in the thing's own answer;
what is very large is left out, and read from there. Fields, states and types may be added: a receiver skips what it does
not know.
"""
SUBSCRIBERS = f"""## Subscribers

- **An Event Grid topic**, with `EVENT_TOPIC_ENDPOINT` (and `EVENT_TOPIC_KEY`, or the app's identity with the role
  *EventGrid Data Sender*).
- **Webhooks**, with `WEBHOOKS`: `[{{"url": "https://bank.example/hooks/campanha", "secret": "..."}}]`. Only https; an
  address on this machine needs `WEBHOOKS_ON_LOOPBACK`, one in a private network `WEBHOOKS_ON_PRIVATE_NETWORK`. What a name
  leads to is judged at each connection, before anything is sent.

For each of them a cursor (a consumer offset) stands at the last event that it took, and moves on only after it took the
next: while a subscriber is down nothing is lost, and when it is back it gets all that it missed. A new one gets the newest
{FIRST_EVENTS}. A webhook gets no more requests a minute than the `WebHook-Allowed-Rate` of its handshake, and none before
the time that a `Retry-After` with 408, 425, 429 or 5xx names (a day at most).
"""
REPLAY = """## Replay

Whoever lost what it was told (restored from a backup, or taken out by mistake) can have a span of the history
delivered again:

```
./dev events replay --since 2026-11-24T08:00:00Z --until 2026-11-24T09:00:00Z --dry-run
./dev events replay --since 2026-11-24T08:00:00Z --type Campanha.Model --subscriber NAME --reason "restored from a backup"
```

`--dry-run` says how many events, their ids and to whom, and delivers nothing; programs ask `GET` and
`POST /api/events/replay` (operator). Each event comes with the `id` and `sequence` that it always had, the oldest first, so
who keeps ids does nothing twice. The subscriber's own place does not move, and new events go on coming meanwhile. A
replay that is killed goes on where it was, and repeats a few hundred events at most; it costs a read for each 100
events of the span, however long the history is. What a subscriber refuses at each attempt is a dead letter
(`./dev failures`), from which the replay goes on.
"""
VERIFICATION = """```python
import hashlib, hmac, re, time


def is_genuine(header: str, body: bytes, secret: str) -> bool:
    found = re.fullmatch(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})", header)
    if not found or abs(time.time() - int(found[1])) > 300:
        return False
    made = hmac.new(secret.encode(), f"{found[1]}.".encode() + body, hashlib.sha256)
    return hmac.compare_digest(made.hexdigest(), found[2])
```
"""


def events_page(description: Json) -> str:
    return "\n".join(
        [
            HEAD,
            *_example(description),
            *_fields(description["components"]["schemas"]["CloudEvent"]),
            DATA,
            "## Types",
            "",
            *_types(description),
            SUBSCRIBERS,
            *_handshake(description),
            *_delivery(description),
        ]
    )


def _example(description: Json) -> Iterator[str]:
    """One that the product answered: the description's examples are recorded from it."""
    answered = description["paths"]["/api/events"]["get"]["responses"]["200"]["content"]["application/json"]
    listed = [event for example in answered["examples"].values() for event in example["value"]["value"]]
    event = next(event for event in listed if event["type"] == EXAMPLE)
    yield from ("```json", json.dumps(event, indent=2, ensure_ascii=False), "```", "")


def _fields(schema: Json) -> Iterator[str]:
    yield from ("| field | meaning |", "|---|---|")
    for name, field in schema["properties"].items():
        yield f"| `{name}` | {field['description']} |"
    yield ""


def _types(description: Json) -> Iterator[str]:
    for kind, types in groupby(EVENT_TYPES, key=lambda type_: EVENT_TYPES[type_][0]):
        yield from (f"### {kind.name.capitalize()}", "", kind.sentence, "", "| type | it ... |", "|---|---|")
        for type_ in types:
            yield f"| `{type_}` | {EVENT_TYPES[type_][1].sentence} |"
        data = description["components"]["schemas"][EVENT_DATA[kind.name].__name__]
        beside = [f"`{name}`" for name in data["properties"] if name not in data["required"]]
        yield from ("", f"May bring ([what each means](kinds.md#{kind.name})): {', '.join(beside)}.", "")


def _handshake(description: Json) -> Iterator[str]:
    asked = description["webhooks"][HANDSHAKE]["options"]
    (allowed,) = asked["responses"]["2XX"]["headers"]
    yield from ("## The handshake", "", asked["description"], "", "```http")
    yield "OPTIONS /hooks/campanha HTTP/1.1"
    yield from (f"{header['name']}: {ORIGIN}" for header in _headers(description, asked))
    yield from ("", "HTTP/1.1 204 No Content", f"{allowed}: {ORIGIN}", "```", "")
    yield from _answers(description, asked)


def _delivery(description: Json) -> Iterator[str]:
    told = description["webhooks"][EXAMPLE]["post"]
    yield from ("## What a webhook gets, and answers", "")
    yield from (f"Each event is a `POST` with `Content-Type: {CONTENT_TYPE}` and these headers.", "")
    yield from ("| header | meaning |", "|---|---|")
    for header in _headers(description, told):
        yield f"| `{header['name']}` | {header['description']} |"
    yield from ("", "In Python:", "", VERIFICATION)
    yield from _answers(description, told)
    yield from ("### Order, and what comes twice", "", told["description"].rpartition("\n\n")[2])
    yield from (
        "Keep the ids that you have seen, and skip what comes again. `sequence` has no gaps.",
        "",
        REPLAY,
    )


def _headers(description: Json, operation: Json) -> list[Json]:
    return [_resolved(description, parameter) for parameter in operation["parameters"]]


def _answers(description: Json, operation: Json) -> Iterator[str]:
    yield from ("| answer | what follows |", "|---|---|")
    for status, answer in operation["responses"].items():
        shown = {"default": "anything else", "2XX": "`2xx`"}.get(status, f"`{status}`")
        yield f"| {shown} | {_resolved(description, answer)['description']} |"
    yield ""


def _resolved(description: Json, part: Json) -> Json:
    found: Json = description
    if "$ref" not in part:
        return part
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found
