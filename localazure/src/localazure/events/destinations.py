"""Brings one event to a storage queue or a webhook, or writes it down as a dead letter."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import uuid
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

from localazure.events.faults import Chance
from localazure.events.journal import Delivery
from localazure.events.patience import Failure, refusal
from localazure.events.schemas import is_cloud
from localazure.events.subscriptions import Queue, Subscription, Webhook
from localazure.storage.client import Service, StorageUnreachable

ANSWER_SECONDS = 30.0
JSON_BLOB = {"content-type": "application/json", "x-ms-blob-type": "BlockBlob"}
TAKEN = frozenset({200, 201, 202, 203, 204})


class Destination(Protocol):
    """Where the events of one subscription go."""

    def send(self, delivery: Delivery) -> None:
        """Return when the event was taken; raises Failure."""


class QueueDestination:
    """Puts an event on a storage queue the way Event Grid does: base64 of its JSON."""

    def __init__(self, service: Service, queue: Queue, chance: Chance) -> None:
        self._service, self._queue, self._chance = service, queue, chance

    def send(self, delivery: Delivery) -> None:
        encoded = base64.b64encode(delivery.event.encode()).decode()
        text = escape(delivery.event) if self._chance.is_plain() else encoded
        body = f"<QueueMessage><MessageText>{text}</MessageText></QueueMessage>".encode()
        seconds = self._queue.message_seconds
        query = {"messagettl": seconds} if seconds else {}
        target, kind = f"/{self._queue.name}/messages", {"content-type": "application/xml"}
        try:
            answer = self._service.call("POST", target, query=query, headers=kind, body=body)
        except StorageUnreachable as problem:
            raise Failure(str(problem), outcome="SocketError", ails=True) from problem
        except ValueError as problem:
            raise _no_request(f"queue {self._queue.name}") from problem
        if answer.status != 201:
            said = f"queue {self._queue.name} answered {answer.status}, {answer.code}"
            raise refusal(answer.status, said, azure=True)


class WebhookDestination:
    """POSTs an event: an EventGridEvent as an array of one, a CloudEvent as itself."""

    def __init__(self, subscription: Subscription, webhook: Webhook) -> None:
        self._name, self._webhook = subscription.name, webhook

    def send(self, delivery: Delivery) -> None:
        event = json.loads(delivery.event)
        status, _ = call(
            "POST",
            self._webhook.url,
            (delivery.event if is_cloud(event) else f"[{delivery.event}]").encode(),
            {**self._headers(event, delivery.attempts), **dict(self._webhook.headers)},
        )
        if status not in TAKEN:
            raise refusal(status, f"the webhook of {self._name} answered {status}", azure=False)

    def _headers(self, event: Mapping[str, Any], attempts: int) -> dict[str, str]:
        kind = "cloudevents+json" if is_cloud(event) else "json"
        return {
            "content-type": f"application/{kind}; charset=utf-8",
            "aeg-event-type": "Notification",
            "aeg-subscription-name": self._name.upper(),
            "aeg-delivery-count": str(attempts),
            "aeg-data-version": str(event.get("dataVersion", "")),
            "aeg-metadata-version": str(event.get("metadataVersion", "")),
        }


def call(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Answer]:
    """The status, and headers and body, of what `url` answers; redirects are not followed.

    raises: Failure when nothing answers within the 30 seconds that Event Grid gives, a final one when it cannot be asked.
    """
    try:
        return _asked(method, url, body, headers)
    except TimeoutError as problem:
        raise Failure(f"{_shown(url)} did not answer in time", outcome="TimedOut", ails=True) from problem
    except (OSError, http.client.HTTPException) as problem:
        said = f"{_shown(url)} cannot be reached: {problem!r}"
        raise Failure(said, outcome="SocketError", ails=True) from problem
    except ValueError as problem:
        raise _no_request(_shown(url)) from problem


def _asked(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Answer]:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with closing(_connection(parts.scheme, parts.hostname or "", parts.port)) as connection:
        connection.request(method, target, body, dict(headers))
        reply = connection.getresponse()
        content = reply.read(64 * 1024)
    return reply.status, Answer({name.lower(): value for name, value in reply.getheaders()}, content)


def _no_request(destination: str) -> Failure:
    """Of what names a destination no request can be made. The words of the problem might hold a secret header."""
    return Failure(f"no request to {destination} can be made", outcome="GenericError", is_final=True)


class Answer:
    """What a web address said; header names in lower case."""

    def __init__(self, headers: Mapping[str, str], body: bytes) -> None:
        self.headers, self.body = headers, body


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=context)
    return http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)


def _shown(url: str) -> str:
    """Without the query, where keys stand."""
    return url.partition("?")[0]


class DeadLetters:
    """Writes events that were given up into a container, with the reason, each as a blob of its own."""

    def __init__(self, service: Service, container: str) -> None:
        self._service, self._container = service, container

    def write(self, delivery: Delivery) -> None:
        """raises Failure"""
        now = datetime.now(UTC)
        folder = f"{delivery.subscription.upper()}/{now.year}/{now.month}/{now.day}/{now.hour}"
        name = f"{folder}/{uuid.uuid4()}.json"
        content = json.dumps([dead_letter(delivery)], indent=1).encode()
        try:
            answer = self._service.call(
                "PUT", f"/{self._container}/{quote(name)}", headers=JSON_BLOB, body=content
            )
        except StorageUnreachable as problem:
            raise Failure(str(problem), outcome="SocketError", ails=True) from problem
        except ValueError as problem:
            raise _no_request(f"container {self._container}") from problem
        if answer.status != 201:
            said = f"container {self._container} answered {answer.status}, {answer.code}"
            raise refusal(answer.status, said, azure=True)


def dead_letter(delivery: Delivery) -> dict[str, Any]:
    """The event with what became of it, in the names of its own schema."""
    event: dict[str, Any] = json.loads(delivery.event)
    about = {
        "deadLetterReason": delivery.reason,
        "deliveryAttempts": delivery.attempts,
        "lastDeliveryOutcome": delivery.outcome,
        "publishTime": _time(delivery.published),
        "lastDeliveryAttemptTime": _time(delivery.attempted),
    }
    return {**event, **({key.lower(): value for key, value in about.items()} if is_cloud(event) else about)}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
