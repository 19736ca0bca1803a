"""Where a bearer token is checked: its claims, its expiry and its audience; not its signature."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from localazure.workspace.wire.calls import Refusal

MANAGEMENT = "https://management.azure.com"
MACHINE_LEARNING = "https://ml.azure.com"
STORAGE = "https://storage.azure.com"


def check_bearer(header: str | None, audiences: tuple[str, ...]) -> None:
    """Refuses a missing, unreadable, expired or foreign token; the signature is not looked at."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refusal(401, "AuthenticationFailed", "the header `Authorization: Bearer <token>` is missing")
    claims = _claims(token)
    if claims is None:
        raise Refusal(401, "InvalidAuthenticationToken", "the bearer token is not a JWT with claims")
    if float(claims.get("exp", 0)) < time.time():
        raise Refusal(401, "ExpiredAuthenticationToken", "the bearer token has expired; ask for a new one")
    audience = str(claims.get("aud", "")).rstrip("/")
    if audience not in audiences:
        wanted = " or ".join(audiences)
        raise Refusal(
            401,
            "InvalidAuthenticationTokenAudience",
            f"the token is for {audience!r}; this route wants {wanted}",
        )


def denied_by_policy() -> Refusal:
    """The token is good, and whoever it is for has no role here, or not yet."""
    return Refusal(403, "Forbidden", "Microsoft Entra Token denied by policy")


def _claims(token: str) -> dict[str, Any] | None:
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return None
    return claims if isinstance(claims, dict) else None
