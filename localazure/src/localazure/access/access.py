"""The access file as each part reads it: who a token belongs to, whether a call is allowed, and what was asked for.

The file is read again when it has changed: an assignment that is added or taken away counts at the next call.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from localazure.access import tokens
from localazure.access.policy import Assignment, Identity, Need, Policy, Role

Way = tuple[Need, ...]
STORAGE = ("https://storage.azure.com",)
EVENT_GRID = ("https://eventgrid.azure.net",)


class BadAccess(Exception):
    """The access file cannot be read; the message names what is wrong with it."""


class Refused(Exception):
    """The identity lacks an action."""

    def __init__(self, identity: Identity, need: Need) -> None:
        super().__init__(f"{identity.name} may not do {need.action} on {need.resource}")
        self.identity, self.need = identity, need

    def arm_message(self) -> str:
        """As Azure Resource Manager says it."""
        return (
            f"The client '{self.identity.client}' with object id '{self.identity.principal}' does not have authorization"
            f" to perform action '{self.need.action}' over scope '{self.need.resource}' or the scope is invalid. If access"
            " was recently granted, please refresh your credentials."
        )


@dataclass(frozen=True, kw_only=True)
class Book:
    """The file's content."""

    key: str
    """What tokens are signed with."""
    identities: Mapping[str, Identity]
    policy: Policy
    accounts: Mapping[str, str]
    """Storage accounts by name: their resource ids."""
    containers: tuple[tuple[str, str], ...] = ()
    """Containers, by regular expression, that belong to another account than the one they lie in, and its id."""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Addresses of the account's services (`blob`, `queue`, `table`): of the front that checks."""
    acts: Mapping[str, str] = field(default_factory=dict)
    """Which identity each part of the embedded Azure acts as: `compute`, `endpoint`, `topic:NAME`."""
    scopes: Mapping[str, str] = field(default_factory=dict)
    """Resource ids of what is named by what it is: `registry`."""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Book:
        """raises: KeyError, TypeError for what is missing or unknown"""
        return cls(
            key=str(given["key"]),
            identities={name: Identity(name=name, **one) for name, one in given["identities"].items()},
            policy=Policy(
                roles={name: Role.parse(one) for name, one in given["roles"].items()},
                assignments=tuple(Assignment(**one) for one in given["assignments"]),
            ),
            accounts=dict(given["accounts"]),
            containers=tuple((pattern, scope) for pattern, scope in given.get("containers", ())),
            endpoints=dict(given.get("endpoints", {})),
            acts=dict(given.get("acts", {})),
            scopes=dict(given.get("scopes", {})),
        )


class Access:
    """The rules, as they are now; each call that an identity makes is noted once."""

    def __init__(
        self,
        file: Path,
        part: str,
        *,
        late_seconds: Callable[[], float] = lambda: 0.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """part: who asks, for the name of the file beside `file` that notes what was asked for. late_seconds: after so long
        an assignment counts that is added from now on. raises: BadAccess
        """
        self._file, self._asked = file, file.with_name(f"asked-{part}.jsonl")
        self._late, self._now = late_seconds, now
        self._since: dict[Assignment, float] = {}
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._book = self._read()
        self._since = dict.fromkeys(self._book.policy.assignments, -math.inf)
        self._noted: set[tuple[str, str, tuple[Way, ...]]] = set()

    @property
    def book(self) -> Book:
        with self._lock:
            if self._fingerprint() != self._stamp:
                self._book = self._read()
            return self._book

    def identity(self, name: str) -> Identity:
        return self.book.identities[name]

    def acting(self, what: str) -> Identity:
        """The identity that this part of the embedded Azure acts as."""
        book = self.book
        return book.identities[book.acts[what]]

    def of_secret(self, secret: str) -> Identity | None:
        """Whose IDENTITY_HEADER it is."""
        return next((one for one in self.book.identities.values() if one.secret == secret), None)

    def token(self, identity: Identity, audience: str) -> tuple[str, int]:
        """A token for a service, and the second it ends."""
        return tokens.for_identity(self.book.key, audience, identity)

    def caller(self, token: str, audiences: tuple[str, ...]) -> Identity:
        """Whose token it is; raises: BadToken"""
        book = self.book
        claims = tokens.checked(book.key, token, audiences)
        found = next((one for one in book.identities.values() if one.principal == claims.get("oid")), None)
        if found is None:
            raise tokens.BadToken(
                tokens.FORGED, f"there is no identity with the object id {claims.get('oid')}"
            )
        return found

    def check(self, identity: Identity, call: str, ways: Iterable[Way]) -> None:
        """raises: Refused when none of the ways is wholly allowed.

        call: its name, for the notes. ways: what it needs, each by itself suffices
        """
        known = tuple(ways)
        self._note(identity, call, known)
        lacking = self._in_force(self.book.policy).missing(identity.name, known)
        if lacking is not None:
            raise Refused(identity, lacking)

    def _in_force(self, policy: Policy) -> Policy:
        """Without what was assigned a moment ago, where that takes its time."""
        late, now = self._late(), self._now()
        if not late:
            return policy
        return replace(
            policy, assignments=tuple(one for one in policy.assignments if now - self._since[one] >= late)
        )

    def _note(self, identity: Identity, call: str, ways: tuple[Way, ...]) -> None:
        with self._lock:
            if (asked := (identity.name, call, ways)) in self._noted:
                return
            self._noted.add(asked)
            told = {
                "identity": identity.name,
                "call": call,
                "ways": [[[need.action, need.resource, need.is_data] for need in way] for way in ways],
            }
            with self._asked.open("a", encoding="utf-8") as written:
                written.write(json.dumps(told) + "\n")

    def _fingerprint(self) -> tuple[int, int]:
        found = self._file.stat()
        return found.st_mtime_ns, found.st_ino

    def _read(self) -> Book:
        try:
            self._stamp = self._fingerprint()
            book = Book.parse(json.loads(self._file.read_text(encoding="utf-8")))
            now = self._now()
            self._since = {one: self._since.get(one, now) for one in book.policy.assignments}
            return book
        except (OSError, ValueError, KeyError, TypeError) as cause:
            raise BadAccess(f"the access file {self._file} cannot be read: {cause!r}") from cause
