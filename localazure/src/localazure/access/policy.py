"""Azure's role-based access control: which identity may do which action on which resource.

An assignment gives an identity a role on a scope and all beneath it. A role allows actions (management of resources) and
data actions (what is in them), each by pattern, less its notActions and notDataActions; what one role leaves out another
may give. Nothing is denied by an assignment.

source: https://learn.microsoft.com/azure/role-based-access-control/role-definitions
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A principal, with what it signs in by."""

    name: str
    client: str
    """Its client id: what `AZURE_CLIENT_ID` names."""
    principal: str
    """Its object id: what roles are assigned to, a token's `oid`."""
    secret: str
    """The IDENTITY_HEADER of whatever acts as this identity."""
    resource: str = ""
    """Resource id of a user-assigned identity."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role definition."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Role:
        """given: a definition as Azure lists it"""
        return cls(
            actions=tuple(given.get("actions", ())),
            not_actions=tuple(given.get("notActions", ())),
            data_actions=tuple(given.get("dataActions", ())),
            not_data_actions=tuple(given.get("notDataActions", ())),
        )

    def allows(self, need: Need) -> bool:
        yes, no = (
            (self.data_actions, self.not_data_actions) if need.is_data else (self.actions, self.not_actions)
        )
        return _any(yes, need.action) and not _any(no, need.action)


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """An identity's role on a scope and all beneath it."""

    identity: str
    role: str
    scope: str

    def covers(self, resource: str) -> bool:
        return f"{resource}/".lower().startswith(f"{self.scope.rstrip('/')}/".lower())


@dataclass(frozen=True)
class Need:
    """An action on a resource, which a call asks for."""

    action: str
    resource: str
    is_data: bool = False


@dataclass(frozen=True, kw_only=True)
class Policy:
    """All that is assigned."""

    roles: Mapping[str, Role]
    assignments: tuple[Assignment, ...]

    def allows(self, identity: str, need: Need) -> bool:
        return any(
            self.roles[one.role].allows(need)
            for one in self.assignments
            if one.identity == identity and one.covers(need.resource)
        )

    def missing(self, identity: str, ways: Iterable[tuple[Need, ...]]) -> Need | None:
        """None when all of one of the ways is allowed; else what the first of them lacks.

        ways: what a call needs; each by itself suffices
        """
        first: Need | None = None
        for way in ways:
            lacking = next((need for need in way if not self.allows(identity, need)), None)
            if lacking is None:
                return None
            first = first or lacking
        return first


def _any(patterns: Iterable[str], action: str) -> bool:
    return any(_form(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=1024)
def _form(pattern: str) -> re.Pattern[str]:
    """`*` stands for any characters, slashes too, and `/*/` for a slash alone: Microsoft's own roles take
    `workspaces/write` out of what `workspaces/*/write` gives."""
    text = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.compile(text.replace("/.*/", "/(?:.*/)?"), re.IGNORECASE)
