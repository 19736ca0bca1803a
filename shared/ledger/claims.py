"""Claims: the idempotent consumer. Each fact is done once, however often it is delivered, and by one worker at a time.

A fact's entry goes through these states, each one conditional write on the table:

    (none) ──claim──▶ claimed ──settle──▶ settled: what it led to is known, and never changes
                       │  ▲
                       │  └─ the lease lapsed: its worker is dead, and another takes over
                       └──free──▶ free: the step failed, the next delivery may try at once

One count of attempts holds for whoever delivers: a queue, another one after a reconciliation, an operator. After the
last the fact is nobody's, until it is reset.

`settle` carries the claim's ETag: a worker whose lease lapsed and was taken over cannot overwrite the outcome.
"""

from __future__ import annotations

import json
import secrets
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Self

from shared.domain.facts import Fact
from shared.domain.json_types import as_json
from shared.domain.kinds.kind import Change
from shared.domain.names import digest
from shared.domain.trace import Trace
from shared.errors import Conflict, GivenUp, InProgress, Transient
from shared.ledger.lease import Lease, heartbeat
from shared.ports import Row, Table


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a step returned: the facts it led to, and what it knows of things beside them."""

    facts: tuple[Fact, ...] = ()
    changes: tuple[Change, ...] = ()

    @classmethod
    def of(cls, returned: Iterable[Fact | Change]) -> Self:
        both = tuple(returned)
        return cls(
            facts=tuple(one for one in both if isinstance(one, Fact)),
            changes=tuple(one for one in both if isinstance(one, Change)),
        )

    def pack(self) -> str:
        """As text that fits one table property (64 KiB) even for a batch of thousands of shards."""
        lines = [fact.to_json() for fact in self.facts]
        lines += [json.dumps(_packed(change)) for change in self.changes]
        return b64encode(zlib.compress("\n".join(lines).encode())).decode()

    @classmethod
    def unpack(cls, packed: str) -> Self:
        lines = zlib.decompress(b64decode(packed)).decode().splitlines()
        return cls.of(_unpacked(line) for line in lines)


def _packed(change: Change) -> dict[str, Any]:
    """The order stands beside the change: a version of the app that knows none passes it over."""
    body = as_json(change)
    order = body.pop("order")
    return {"change": body} | ({} if order is None else {"order": order})


def _unpacked(line: str) -> Fact | Change:
    body = json.loads(line)
    return Change(**body["change"], order=body.get("order")) if "change" in body else Fact.from_json(line)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A fact's entry, as this worker holds it."""

    fact: Fact
    row: Row

    @cached_property
    def outcome(self) -> Outcome | None:
        """None while it is not settled."""
        packed = self.row.value.get("outcome")
        return None if packed is None else Outcome.unpack(packed)

    @property
    def attempt(self) -> int:
        return int(self.row.value["attempt"])

    @property
    def first(self) -> bool:
        """Whether nobody was at it before."""
        return self.outcome is None and self.attempt == 1 and not self.row.value.get("retries")

    @property
    def trace(self) -> Trace | None:
        """The trace of the first delivery that claimed it, which all later ones go on with."""
        return Trace.read(self.row.value.get("trace"))

    @property
    def failure(self) -> str:
        """The id of the dead letter that this retries; empty mostly."""
        return str(self.row.value.get("failure", ""))


class Claims:
    """The facts' entries, each at the digest of its fact's key."""

    def __init__(
        self, table: Table, *, now: Callable[[], datetime], lease_seconds: int, most_attempts: int
    ) -> None:
        self._table, self._now, self._most_attempts = table, now, most_attempts
        self._lease = timedelta(seconds=lease_seconds)

    def claim(self, fact: Fact) -> Claim:
        """Takes the fact for this worker, or returns what it already led to.

        A claim whose answer is lost is known by its holder: taken for another's, nobody would be at the fact.

        raises: InProgress while another worker's lease runs; GivenUp when it failed as often as it may
        """
        place, holder = _place(fact.key), secrets.token_hex(8)
        claimed = {"state": "claimed", "fact": fact.to_json(), "key": fact.key, "attempt": 1}
        claimed |= {"begun": self._now().isoformat(), "holder": holder, **in_its_trace(fact)}
        try:
            return Claim(fact=fact, row=self._table.insert(*place, claimed))
        except Transient as problem:
            there = self._table.get(*place)
            if there is None and isinstance(problem, Conflict):
                raise InProgress from problem
            if there is not None and there.value.get("holder") == holder:
                return Claim(fact=fact, row=there)  # it was done, and only its answer was lost
            if there is None or not isinstance(problem, Conflict):
                raise
            return self._take_over(fact, there, holder)

    def _take_over(self, fact: Fact, old: Row, holder: str) -> Claim:
        if old.value["state"] == "settled":
            return Claim(fact=fact, row=old)
        if self.is_held(old):
            raise InProgress
        if self.is_given_up(old):
            raise GivenUp
        claimed = {**in_its_trace(fact), **old.value, "state": "claimed", "holder": holder}
        claimed["attempt"] = old.value["attempt"] + 1
        try:
            return Claim(fact=fact, row=self._table.replace(old, claimed))
        except Transient as problem:
            there = self._table.get(old.partition, old.row)
            if there is not None and there.value.get("holder") == holder:
                return Claim(fact=fact, row=there)
            if isinstance(problem, Conflict):
                raise InProgress from problem
            raise

    def never_claimed(self, fact: Fact) -> Row:
        """Makes the entry of a fact whose deliveries all failed before a worker could claim it, so that it can be reset.

        It counts as tried once: whoever does it is not the first, and looks at what stands there.
        raises: Conflict when a worker has claimed it meanwhile
        """
        entry = {"state": "free", "fact": fact.to_json(), "key": fact.key, "attempt": 1}
        entry |= {"begun": self._now().isoformat(), **in_its_trace(fact)}
        return self._table.insert(*_place(fact.key), entry)

    def was_claimed(self, row: Row) -> bool:
        """Whether a worker ever had the fact of the entry in this row; see `never_claimed`."""
        return row.value["state"] != "free" or "holder" in row.value

    def is_held(self, row: Row) -> bool:
        """Whether the lease of the entry in this row runs."""
        return row.value["state"] == "claimed" and self._now() - row.changed < self._lease

    def is_given_up(self, row: Row) -> bool:
        """Whether the fact of the entry in this row was tried as often as it may."""
        return row.value["state"] != "settled" and int(row.value["attempt"]) >= self._most_attempts

    def held(self, lease: Lease) -> AbstractContextManager[None]:
        """While the body of the `with` runs, the lease does not lapse."""
        every = self._lease.total_seconds() / 3
        return heartbeat(lease, lambda row: self._table.replace(row, row.value), every_seconds=every)

    def settle(self, claim: Claim, outcome: Outcome) -> Claim:
        """Writes down what the fact led to; raises: Conflict when the lease lapsed and another worker took it."""
        settled = {**claim.row.value, "state": "settled", "outcome": outcome.pack()}
        return Claim(fact=claim.fact, row=self._table.replace(claim.row, settled))

    def free(self, claim: Claim, reason: str) -> None:
        """The step failed; the next delivery may try at once."""
        try:
            self._table.replace(claim.row, {**claim.row.value, "state": "free", "last_error": reason[:500]})
        except Conflict:
            return  # our lease had lapsed; its new holder decides

    def find(self, key: str) -> Row | None:
        """The entry of the fact of that key."""
        return self._table.get(*_place(key))

    def outcome(self, key: str) -> Outcome | None:
        """What the fact of that key led to; None while it has not been done."""
        row = self.find(key)
        packed = row.value.get("outcome") if row else None
        return None if packed is None else Outcome.unpack(packed)

    def reset(self, row: Row, *, failure: str) -> None:
        """Gives a fact all its attempts again; failure: the id of its dead letter's record.

        One that is settled is not to be done again, only finished.
        """
        again: dict[str, object] = {"failure": failure, "retries": row.value.get("retries", 0) + 1}
        if row.value["state"] != "settled":
            again |= {"state": "free", "attempt": 0}
        self._table.replace(row, {**row.value, **again})


def in_its_trace(fact: Fact) -> dict[str, str]:
    """What a row about the fact says of its trace, beside the fact."""
    return {"trace": fact.trace.traceparent} if fact.trace else {}


def _place(key: str) -> tuple[str, str]:
    digested = digest(key)
    return f"fact-{digested[:2]}", digested
