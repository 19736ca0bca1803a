"""Session cookies of the dashboard, signed: they carry a scope and an end, and no key.

It is signed with a key derived from the very key that was shown, so changing that key ends its sessions.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from functions.http.auth.callers import Caller, NotAdmitted
from functions.http.auth.scopes import Scope

COOKIE = "campanha-session"
LONGEST_COOKIE = 256


@dataclass(frozen=True)
class Sessions:
    """Makes and checks the cookies; several instances with the same keys accept each other's."""

    keys: Mapping[Scope, str]
    seconds: int
    now: Callable[[], float] = time.time

    def begin(self, scope: Scope) -> str:
        """A new session's cookie value, for a client that has just shown the key of `scope`."""
        payload = f"{scope.label}.{int(self.now()) + self.seconds}.{secrets.token_hex(8)}"
        return f"{payload}.{self._signature(scope, payload)}"

    def caller(self, value: str) -> Caller:
        """raises: NotAdmitted when the cookie is forged, over, or signed with a key that is no longer ours"""
        payload, _, signature = value.rpartition(".")
        label, _, rest = payload.partition(".")
        ends, _, session = rest.partition(".")
        scope = next((one for one in self.keys if one.label == label), None)
        if scope is None or len(value) > LONGEST_COOKIE or not (ends.isascii() and ends.isdigit()):
            raise NotAdmitted
        good = hmac.compare_digest(signature.encode(), self._signature(scope, payload).encode())
        if not good or int(ends) <= self.now():
            raise NotAdmitted
        return Caller(name=f"session:{label}:{session}", scope=scope, by_cookie=True)

    def _signature(self, scope: Scope, payload: str) -> str:
        signing = hmac.digest(self.keys[scope].encode(), b"campanha dashboard session", hashlib.sha256)
        return hmac.new(signing, payload.encode(), hashlib.sha256).hexdigest()
