"""Asks a webhook whether it wants a subscription's events, before it is sent any.

Sources: https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema and
https://github.com/cloudevents/spec/blob/v1.0/http-webhook.md
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from localazure.events.destinations import call
from localazure.events.patience import Failure
from localazure.events.subscriptions import CLOUD_EVENTS, Subscription

ORIGIN = "eventgrid.azure.net"


class HandshakeFailed(Exception):
    """The webhook did not agree; the message says what it answered instead."""


@dataclass(frozen=True, kw_only=True)
class Handshake:
    """One question to one webhook."""

    subscription: Subscription
    url: str
    topic: str
    code: str
    confirm_url: str

    @property
    def proof(self) -> str:
        """What the webhook agrees to: another address or another schema has to be asked for again."""
        return f"{self.subscription.schema} {self.url}"

    def agreed(self) -> bool:
        """True when the webhook agreed; False when it took the question, and may yet call `confirm_url`.

        raises: HandshakeFailed
        """
        try:
            return self._options() if self.subscription.schema == CLOUD_EVENTS else self._validation()
        except Failure as problem:
            raise HandshakeFailed(str(problem)) from problem

    def _validation(self) -> bool:
        event = {
            "id": str(uuid.uuid4()),
            "topic": self.topic,
            "subject": "",
            "data": {"validationCode": self.code, "validationUrl": self.confirm_url},
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z"),
            "metadataVersion": "1",
            "dataVersion": "1",
        }
        headers = {
            "content-type": "application/json; charset=utf-8",
            "aeg-event-type": "SubscriptionValidation",
            "aeg-subscription-name": self.subscription.name.upper(),
            "aeg-delivery-count": "0",
        }
        status, answer = call("POST", self.url, json.dumps([event]).encode(), headers)
        if status != 200:
            raise HandshakeFailed(f"it answered {status}, not 200")
        try:
            echoed = json.loads(answer.body)["validationResponse"]
        except (ValueError, KeyError, TypeError):
            return False
        if echoed != self.code:
            raise HandshakeFailed("it answered with another validation code")
        return True

    def _options(self) -> bool:
        headers = {"webhook-request-origin": ORIGIN, "webhook-request-callback": self.confirm_url}
        status, answer = call("OPTIONS", self.url, b"", headers)
        if status != 200:
            raise HandshakeFailed(f"it answered OPTIONS with {status}, not 200")
        allowed = answer.headers.get("webhook-allowed-origin")
        if allowed is None:
            return False
        if allowed not in (ORIGIN, "*"):
            raise HandshakeFailed(f"it allows {allowed}, not {ORIGIN}")
        return True
