"""Issues tokens: JWTs signed with a secret made at the first start and kept in a file."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import time
from pathlib import Path

from localazure.workspace.settings import TENANT, stable_id

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
