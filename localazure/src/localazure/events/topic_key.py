"""Who may publish to a topic: the key itself, or a SAS token made with it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import unquote_plus

_EXPIRY = ("%m/%d/%Y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")


def is_allowed(headers: Mapping[str, str], key: str) -> bool:
    """True for a right `aeg-sas-key`, or a right and unexpired `aeg-sas-token`."""
    lower = {name.lower(): value for name, value in headers.items()}
    given, token = lower.get("aeg-sas-key"), lower.get("aeg-sas-token")
    if given is not None:
        return hmac.compare_digest(given.encode(), key.encode())
    return token is not None and _is_valid(token, key)


def _is_valid(token: str, key: str) -> bool:
    """A token is `r=<resource>&e=<expiry>&s=<signature of what stands before>`."""
    signed, _, signature = token.partition("&s=")
    fields = dict(part.partition("=")[::2] for part in signed.split("&"))
    try:
        secret = base64.b64decode(key, validate=True)
    except binascii.Error:
        secret = key.encode()
    wanted = base64.b64encode(hmac.new(secret, signed.encode(), hashlib.sha256).digest()).decode()
    expiry = _expiry(unquote_plus(fields.get("e", "")))
    return (
        hmac.compare_digest(unquote_plus(signature).encode(), wanted.encode())
        and expiry is not None
        and expiry > datetime.now(UTC)
    )


def _expiry(text: str) -> datetime | None:
    text = text.partition("+")[0].partition(".")[0].removesuffix("Z").strip()
    for form in _EXPIRY:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
