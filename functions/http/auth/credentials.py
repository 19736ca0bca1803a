"""From a request's headers to its caller: a function key, a bearer token, or the dashboard's session cookie."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from functions.http.auth.callers import Caller, NotAdmitted
from functions.http.auth.scopes import Scope
from functions.http.auth.sessions import COOKIE, Sessions
from functions.http.auth.tokens import EntraTokens, SigningKeys
from shared import telemetry
from shared.settings import Settings

UNRESOLVED = "@Microsoft.KeyVault("
"""What an app setting holds when its Key Vault reference could not be read: a public text, so no secret."""


@dataclass(frozen=True)
class Credentials:
    """Everything that opens the API."""

    keys: Mapping[Scope, str]
    sessions: Sessions
    tokens: EntraTokens | None = None

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Judges the first credential there is, in the order key, token, cookie; a wrong one is not passed over.

        A key in the URL is no credential: URLs end up in logs.
        raises: NotAdmitted, NotPermitted, CannotTell
        """
        if "x-functions-key" in headers:
            scope = self.scope_of(headers["x-functions-key"])
            return Caller(name=f"key:{scope.label}", scope=scope)
        if "authorization" in headers:
            kind, _, token = headers["authorization"].partition(" ")
            if kind.lower() != "bearer" or self.tokens is None:
                raise NotAdmitted
            return self.tokens.caller(token.strip())
        return self.sessions.caller(_cookie(headers.get("cookie", "")))

    def scope_of(self, given: str) -> Scope:
        """What a key opens. Every key is compared, in a time that does not depend on where they differ.

        raises: NotAdmitted
        """
        opened = [s for s, key in self.keys.items() if hmac.compare_digest(key.encode(), given.encode())]
        if not opened:
            raise NotAdmitted
        return max(opened)


def from_settings(settings: Settings) -> Credentials:
    """The credentials that the settings name; logs an error when there are none."""
    named = {
        Scope.READER: settings.reader_key,
        Scope.OPERATOR: settings.operator_key,
        Scope.ADMIN: settings.admin_key,
    }
    keys = {scope: secret.get_secret_value() for scope, secret in named.items() if secret}
    for scope in [scope for scope, key in keys.items() if key.startswith(UNRESOLVED)]:
        del keys[scope]
        _complain(f"{scope.name}_KEY is a Key Vault reference that was not resolved: it opens nothing.")
    tokens = None
    if settings.entra_tenant_id and settings.entra_audience:
        issuer = f"{settings.entra_authority.rstrip('/')}/{settings.entra_tenant_id}/v2.0"
        tokens = EntraTokens(settings.entra_tenant_id, settings.entra_audience, SigningKeys(issuer))
    if not keys and tokens is None:
        _complain(
            "Nobody can use the HTTP API: set READER_KEY, OPERATOR_KEY and ADMIN_KEY (random texts of 20 characters"
            " or more), or ENTRA_TENANT_ID and ENTRA_AUDIENCE."
        )
    return Credentials(keys, Sessions(keys, settings.session_hours * 3600), tokens)


def _complain(sentence: str) -> None:
    telemetry.say(telemetry.Action.ADMIT_CALLER, sentence, level=logging.ERROR)


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        raise NotAdmitted from None
    if found is None:
        raise NotAdmitted
    return found.value
