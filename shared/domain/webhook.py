"""What a webhook gets with each event: the headers that say what it is, and prove that it is ours."""

from __future__ import annotations

import hashlib
import hmac

ORIGIN = "campanha"
"""The sender's name in the handshake of the CloudEvents HTTP webhook specification, and on each delivery after it."""
REQUEST_ORIGIN, ALLOWED_ORIGIN = "WebHook-Request-Origin", "WebHook-Allowed-Origin"
ALLOWED_RATE = "WebHook-Allowed-Rate"
"""Requests a minute that the subscriber grants; `*`, or no such header, is any number."""
CONTENT_TYPE = "application/cloudevents+json"
SIGNATURE = "X-Campanha-Signature"
"""The header that proves that a request is ours, and when it was made."""
ANSWER_SECONDS = 15
"""How long a subscriber may take to answer."""
BUSY = frozenset({408, 425, 429})
"""Answers below 500 that are no refusal: the same may be taken later."""


def signed(secret: str, stamp: int, body: bytes) -> str:
    """The value of the header `SIGNATURE`. stamp: seconds since 1970"""
    return f"t={stamp},v1={signature(secret, stamp, body)}"


def signature(secret: str, stamp: int, body: bytes) -> str:
    """HMAC-SHA256 over time and body, in hex."""
    return hmac.new(secret.encode(), str(stamp).encode() + b"." + body, hashlib.sha256).hexdigest()
