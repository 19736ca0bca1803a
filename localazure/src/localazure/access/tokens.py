"""Access tokens: JWTs that name who signed in and for which service, signed by the embedded Azure's own key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from localazure.access.policy import Identity

TENANT = "00000000-0000-0000-0000-00000000aaaa"
ISSUER = f"https://sts.windows.net/{TENANT}/"
LIFETIME_SECONDS = 24 * 3600


class BadToken(Exception):
    """It is not to be taken; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


MALFORMED, FORGED, EXPIRED, AUDIENCE = "malformed", "forged", "expired", "audience"


def issue(
    key: str, audience: str, principal: str, client: str = "", *, seconds: int = LIFETIME_SECONDS
) -> tuple[str, int]:
    """A token, and the second it ends. principal: the object id of who signed in"""
    now = int(time.time())
    claims = {
        "aud": audience, "iss": ISSUER, "tid": TENANT, "oid": principal, "appid": client, "iat": now, "nbf": now - 300,
        "exp": now + seconds,
    }  # fmt: skip
    head = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part({k: v for k, v in claims.items() if v != ''})}"
    return f"{head}.{_signature(key, head)}", now + seconds


def for_identity(key: str, audience: str, identity: Identity) -> tuple[str, int]:
    return issue(key, audience, identity.principal, identity.client)


def checked(key: str, token: str, audiences: tuple[str, ...]) -> dict[str, Any]:
    """The claims of a token that was issued here, for one of these services, and has not ended.

    raises: BadToken
    """
    head, _, signature = token.rpartition(".")
    claims = _claims(head)
    if claims is None:
        raise BadToken(MALFORMED, "the token is not a JWT with claims")
    if not hmac.compare_digest(signature.encode(), _signature(key, head).encode()):
        raise BadToken(FORGED, "Signature validation failed.")
    if claims.get("iss") != ISSUER:
        raise BadToken(FORGED, "Issuer validation failed. Issuer did not match.")
    if float(claims.get("exp", 0)) < time.time():
        raise BadToken(EXPIRED, "Lifetime validation failed. The token is expired.")
    if str(claims.get("aud", "")).rstrip("/") not in audiences:
        raise BadToken(AUDIENCE, "Audience validation failed. Audience did not match.")
    return claims


def _claims(head: str) -> dict[str, Any] | None:
    try:
        middle = head.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return None
    return claims if isinstance(claims, dict) else None


def _signature(key: str, head: str) -> str:
    return _base64(hmac.new(key.encode(), head.encode(), hashlib.sha256).digest())


def _part(value: object) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
