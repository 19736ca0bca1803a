"""The caller: the identity behind a credential, and the three ways in which a credential is refused."""

from __future__ import annotations

from dataclasses import dataclass

from functions.http.auth.scopes import Scope


@dataclass(frozen=True, kw_only=True)
class Caller:
    """An authenticated client of the API: its name and scope."""

    name: str
    """For the audit trail and the limits: `key:operator`, `session:operator:` and the session's random id,
    or `entra:` and the object id; never the credential itself."""
    scope: Scope
    by_cookie: bool = False
    """A browser sends a cookie on its own, so a change by cookie needs proof of its origin (see `same_origin`)."""


class NotAdmitted(Exception):
    """The credential is missing or not accepted; deliberately says no more."""


class CannotTell(Exception):
    """Whether the credential is good cannot be found out now (503); it is refused meanwhile."""


class NotPermitted(Exception):
    """The credential is good, and opens nothing here."""
