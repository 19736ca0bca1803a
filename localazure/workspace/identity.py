"""Tokens: the App Service managed-identity endpoint over plain http, and the check of a bearer token."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from localazure.workspace.settings import TENANT, stable_id
from localazure.workspace.wire import Refusal

MANAGEMENT = "https://management.azure.com"
MACHINE_LEARNING = "https://ml.azure.com"
_LIFETIME_SECONDS = 24 * 3600


class Issuer:
    """Makes and reads tokens; its secret is also what callers of the identity endpoint must know."""

    def __init__(self, file: Path, given: str | None = None) -> None:
        self.secret = given or _kept_secret(file)

    def token(self, audience: str) -> tuple[str, int]:
        """A JWT for `audience` and the second it ends."""
        now = int(time.time())
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{TENANT}/",
            "tid": TENANT,
            "oid": stable_id("principal"),
            "iat": now,
            "nbf": now - 300,
            "exp": now + _LIFETIME_SECONDS,
        }
        head = _part({"alg": "HS256", "typ": "JWT"}) + "." + _part(claims)
        signature = hmac.new(self.secret.encode(), head.encode(), hashlib.sha256).digest()
        return f"{head}.{_base64(signature)}", now + _LIFETIME_SECONDS


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


def _claims(token: str) -> dict[str, Any] | None:
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return None
    return claims if isinstance(claims, dict) else None


def _part(value: object) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _kept_secret(file: Path) -> str:
    """Made at the first start, readable by its owner only."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT, 0o600), "w") as written:
            written.write(secrets.token_urlsafe(24))
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(beside)  # whole, and the first one to come decides
        beside.unlink()
    return file.read_text(encoding="utf-8").strip()


class IdentityServer(ThreadingHTTPServer):
    """What `ManagedIdentityCredential` talks to, on 127.0.0.1."""

    daemon_threads = True

    def __init__(self, port: int, issuer: Issuer) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.issuer = issuer


class _Handler(BaseHTTPRequestHandler):
    server: IdentityServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        resource = parse_qs(parts.query).get("resource", [""])[0]
        if parts.path != "/msi/token":
            self._reply(404, {"error": {"code": "NotFound", "message": "tokens are at /msi/token"}})
        elif not hmac.compare_digest(self.headers.get("x-identity-header", ""), self.server.issuer.secret):
            self._reply(
                401, {"error": {"code": "Unauthorized", "message": "X-IDENTITY-HEADER is missing or wrong"}}
            )
        elif not resource:
            self._reply(400, {"error": {"code": "BadRequest", "message": "the query names no resource"}})
        else:
            token, end = self.server.issuer.token(resource)
            self._reply(
                200,
                {"access_token": token, "expires_on": str(end), "resource": resource, "token_type": "Bearer"},
            )

    def _reply(self, status: int, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Silent: tokens are asked for often."""
