"""The caller: who a credential says is asking, and the three ways in which a credential is turned down."""

from __future__ import annotations

from dataclasses import dataclass

from functions.http.auth.scopes import Scope


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody who showed a credential we accept."""

    name: str
    """For the audit trail and the limits: `key:operator`, `session:operator:` and what tells the session from others,
    or `entra:` and the object id; never the credential itself."""
    scope: Scope
    by_cookie: bool = False
    """A browser sends a cookie on its own, so a change asked by one needs proof of where it came from."""


class NotAdmitted(Exception):
    """The credential is missing or not accepted; deliberately says no more."""


class CannotTell(Exception):
    """Whether the credential is good cannot be found out now; nobody gets in meanwhile."""


class NotPermitted(Exception):
    """The credential is good, and opens nothing here."""
