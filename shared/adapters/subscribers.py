"""Webhook delivery of CloudEvents: subscribers as signed webhooks, or as an Event Grid topic."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import requests

from shared.adapters.http_client import Reply, TooLarge, ask
from shared.adapters.judged_connections import judged_connections
from shared.domain import webhook
from shared.domain.names import digest
from shared.domain.network_reach import Reach
from shared.errors import Busy, Gone, Refused, Transient

if TYPE_CHECKING:
    from azure.core.credentials import AzureKeyCredential, TokenCredential
    from azure.eventgrid import EventGridPublisherClient

TIMEOUT = (5, webhook.ANSWER_SECONDS)
LARGEST_ANSWER = 1024 * 1024
"""Bytes; nothing in it counts but status and headers."""
LONGEST_RATE = 9
"""Digits; a longer number is no limit, and Python reads no whole number of any length."""
LONGEST_DELIVERY = 60
"""Seconds after which no further event is sent: a slow subscriber gets the rest at the next delivery."""

Event = dict[str, Any]
"""A CloudEvent, as `shared.ledger.cloud_event` makes it."""


def topic_client(endpoint: str, sign_in: AzureKeyCredential | TokenCredential) -> EventGridPublisherClient:
    """A client with one retry: what was not taken is delivered again later, by our own cursor and backoff."""
    from azure.eventgrid import EventGridPublisherClient

    return EventGridPublisherClient(endpoint, sign_in, retry_total=1, connection_timeout=5, read_timeout=15)


class EventGridTopic:
    """A custom topic, which takes all events of a request or none."""

    consents = False

    def __init__(self, client: EventGridPublisherClient, *, endpoint: str) -> None:
        self._client = client
        self.name = f"topic-{digest(endpoint)[:12]}"

    def handshake(self) -> None:
        """A topic that is there wants events, as many as there are."""

    def deliver(self, events: Sequence[Event]) -> int:
        from azure.core.exceptions import AzureError, HttpResponseError
        from azure.core.messaging import CloudEvent

        try:
            self._client.send([CloudEvent.from_dict(event) for event in events])
        except HttpResponseError as cause:
            status = cause.status_code or 0
            if 400 <= status < 500 and status not in webhook.BUSY:
                raise Refused(f"the event topic answered {status}: see its address, key or role") from cause
            raise Transient(f"the event topic answered {status}") from cause
        except AzureError as cause:
            raise Transient("the event topic does not answer") from cause
        return len(events)


@dataclass(frozen=True)
class Webhook:
    """An HTTPS address that gets one event a request; see docs/events.md for what it gets."""

    url: str
    secret: str
    now: Callable[[], float] = time.time
    reach: Reach = field(default_factory=Reach)
    """Where the address may lead; judged at each connection."""
    consents = True

    @property
    def name(self) -> str:
        return f"webhook-{digest(self.url)[:12]}"

    def handshake(self) -> int | None:
        """CloudEvents' abuse protection: an address that does not consent gets no events."""
        answer = self._sent("OPTIONS")
        if answer.headers.get(webhook.ALLOWED_ORIGIN, "") not in (webhook.ORIGIN, "*"):
            wanted = f"{webhook.ALLOWED_ORIGIN}: {webhook.ORIGIN}"
            raise Refused(f"{self.name} did not answer the handshake with {wanted}")
        rate = answer.headers.get(webhook.ALLOWED_RATE, "")
        return max(1, int(rate)) if _is_number(rate) and len(rate) <= LONGEST_RATE else None

    def deliver(self, events: Sequence[Event]) -> int:
        ends = self.now() + LONGEST_DELIVERY
        for number, event in enumerate(events):
            if self.now() > ends:
                return number
            try:
                self._post(event)
            except Busy as problem:
                raise Busy(str(problem), seconds=problem.seconds, taken=number) from problem
            except (Transient, Refused):
                if number == 0:
                    raise
                return number
        return len(events)

    def _post(self, event: Event) -> None:
        body = json.dumps(event, ensure_ascii=False).encode()
        headers = {
            "Content-Type": f"{webhook.CONTENT_TYPE}; charset=utf-8",
            webhook.SIGNATURE: webhook.signed(self.secret, int(self.now()), body),
        }
        self._sent("POST", headers, body)

    def _sent(
        self, method: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """A good answer; redirects are not followed. raises: Transient, Refused, Gone"""
        headers = {webhook.REQUEST_ORIGIN: webhook.ORIGIN, **(headers or {})}
        try:
            with judged_connections(self.reach) as connections:
                answer = ask(
                    method, self.url, headers=headers, body=body, timeout=TIMEOUT, most=LARGEST_ANSWER,
                    connections=connections,
                )  # fmt: skip
        except (requests.RequestException, TooLarge) as cause:
            raise Transient(f"{self.name} does not answer ({type(cause).__name__})") from cause
        except Refused as cause:
            raise Refused(f"{self.name}: {cause}") from cause
        if answer.status == 410:
            raise Gone(f"{self.name} answered 410: the subscriber is gone")
        busy = answer.status >= 500 or answer.status in webhook.BUSY
        seconds = _retry_after(answer.headers.get("Retry-After", ""), self.now()) if busy else 0
        if seconds > 0:
            raise Busy(f"{self.name} answered {answer.status}: not for {seconds:.0f} s", seconds=seconds)
        if busy:
            raise Transient(f"{self.name} answered {answer.status}")
        if not 200 <= answer.status < 300:
            raise Refused(f"{self.name} answered {answer.status}")
        return answer


def _retry_after(text: str, now: float) -> float:
    """Seconds from now; 0 when it says nothing that can be read. source: RFC 9110, 10.2.3"""
    if _is_number(text):
        return float(text)
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):  # no date, or of a year there is not
        return 0.0


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
