"""Bearer tokens (JWT) of Microsoft Entra, checked against the tenant's signing keys, which are fetched and cached here.

Only RS256 is accepted, whatever a token's header says: a token that names `none`, or `HS256` with our public key
as its secret, is refused before its signature is checked.

Source: RFC 8725 (JSON Web Token Best Current Practices), section 3.1.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import jwt
import requests

from functions.http.auth.callers import Caller, CannotTell, NotAdmitted, NotPermitted
from functions.http.auth.scopes import Scope
from shared.adapters.http_client import ask

ROLES = {"Reader": Scope.READER, "Operator": Scope.OPERATOR, "Admin": Scope.ADMIN}
LONGEST_TOKEN = 16_384
KEYS_LIVE_SECONDS = 24 * 3600
REFETCH_FLOOR_SECONDS = 300
"""An unknown key id has the keys fetched again (they rotate), but not more often than this: a key id can be made up."""
RETRY_FLOOR_SECONDS = 15
"""How soon the keys are fetched again after a failure, while there are none to go by."""
LEEWAY_SECONDS = 60
TIMEOUT = (5, 10)
LARGEST_DOCUMENT = 1024 * 1024
"""Bytes."""

Fetch = Callable[[str], dict[str, Any]]


def fetch_json(url: str) -> dict[str, Any]:
    """The document at `url`; no redirect is followed. raises: requests.RequestException, ValueError"""
    if not url.startswith("https://"):
        raise ValueError("signing keys are only fetched over https")
    answer = ask("GET", url, headers={}, timeout=TIMEOUT, most=LARGEST_DOCUMENT)
    if answer.status != 200:
        raise ValueError(f"expected the document, got {answer.status}")
    body: dict[str, Any] = answer.json()
    return body


@dataclass
class SigningKeys:
    """The tenant's public keys by id, as its OIDC discovery document leads to them."""

    issuer: str
    fetch: Fetch = fetch_json
    now: Callable[[], float] = time.monotonic
    _keys: dict[str, jwt.PyJWK] = field(default_factory=dict)
    _fetched: float = float("-inf")
    _tried: float = float("-inf")
    """When a fetch last ended, well or not."""
    _fetching: bool = False
    _lock: Lock = field(default_factory=Lock)

    def get(self, key_id: str) -> jwt.PyJWK:
        """One caller fetches, and nobody waits for it: all callers share the threads in which this runs.

        raises: NotAdmitted for a key the tenant does not have; CannotTell when its keys cannot be had, or are being
        fetched by another
        """
        with self._lock:
            fresh, others = self._are_fresh(), self._fetching
            floor = REFETCH_FLOOR_SECONDS if fresh else RETRY_FLOOR_SECONDS
            wanted = not fresh or key_id not in self._keys
            fetches = wanted and not others and self.now() - self._tried >= floor
            self._fetching = others or fetches
        if fetches:
            try:
                self._refetch()
            finally:
                with self._lock:
                    self._fetching, self._tried = False, self.now()
        with self._lock:
            key = self._keys.get(key_id) if self._are_fresh() else None
            if key is not None:
                return key
            if not self._are_fresh() or self._fetching:
                raise CannotTell
            raise NotAdmitted

    def _are_fresh(self) -> bool:
        return self.now() - self._fetched < KEYS_LIVE_SECONDS

    def _refetch(self) -> None:
        """After a failure the old keys serve until `KEYS_LIVE_SECONDS`."""
        try:
            discovered = self.fetch(f"{self.issuer}/.well-known/openid-configuration")
            if discovered["issuer"] != self.issuer:
                raise ValueError("the discovery document is another issuer's")
            found = self.fetch(discovered["jwks_uri"])["keys"]
            keys = {
                key["kid"]: jwt.PyJWK(key, algorithm="RS256")
                for key in found
                if key.get("kty") == "RSA" and key.get("use", "sig") == "sig"
            }
        except (requests.RequestException, jwt.PyJWTError, ValueError, KeyError, TypeError, AttributeError):
            return
        with self._lock:
            self._keys, self._fetched = keys, self.now()


@dataclass(frozen=True)
class EntraTokens:
    """Accepts v2 access tokens of one tenant, made for one application."""

    tenant: str
    audience: str
    """Its client id: what `aud` is in every v2 token, whatever name the token was asked for by."""
    keys: SigningKeys

    def caller(self, token: str) -> Caller:
        """raises: NotAdmitted, CannotTell; NotPermitted for a good token without one of our roles"""
        claims = self._claims(token)
        granted = [ROLES[role] for role in claims.get("roles", ()) if role in ROLES]
        if not granted:
            raise NotPermitted
        return Caller(name=f"entra:{claims.get('oid') or claims['sub']}", scope=max(granted))

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise NotAdmitted
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != "RS256":
                raise NotAdmitted
            key = self.keys.get(str(header.get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self.audience,
                issuer=self.keys.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "nbf", "iss", "aud", "sub", "tid"]},
            )
        except jwt.PyJWTError as cause:
            raise NotAdmitted from cause
        if claims["tid"] != self.tenant or not isinstance(claims.get("roles", []), list):
            raise NotAdmitted
        return claims
