"""A queue message as it lies in storage, and the encoding of its body."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message under lease; `text` is as it is in the queue, encoded or not."""

    id: str
    receipt: str
    text: str
    dequeue_count: int
    inserted: datetime | None = None
    expires: datetime | None = None
    next_visible: datetime | None = None


class Undecodable(ValueError):
    """The text is no base64: whoever sent it uses another encoding than host.json says."""


def decode(text: str, *, base64_encoded: bool) -> bytes:
    """The body in `text`; raises Undecodable."""
    if not base64_encoded:
        return text.encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as cause:
        raise Undecodable(str(cause)) from cause


def encode(body: bytes, *, base64_encoded: bool) -> str:
    """The reverse of `decode`."""
    return base64.b64encode(body).decode() if base64_encoded else body.decode()
