"""Something is asked for: once however often it is sent, with a record of who asked, and an operation to follow.

    nothing ──first request──▶ begun ──action is under way──▶ done: the same answer from now on
                                 │
                                 └─ the process died: whoever comes after a minute goes on with the same operation

What an action makes is named by its operation, so going on with it repeats nothing.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from functions.http import operations
from functions.http.callers import Caller
from functions.http.depends import AskedBy, Wired
from functions.http.problems import Problem, rules_broken
from functions.http.versions import KNOWN, PARAMETER
from shared import flow
from shared.domain.audit import chained
from shared.domain.facts import Fact
from shared.domain.names import digest
from shared.domain.records import Change
from shared.errors import Conflict, InProgress
from shared.ports import Row
from shared.services import Services

IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,200}")
PATIENCE = timedelta(minutes=1)
"""After so long the request that began an action is taken for dead."""


class Why(BaseModel):
    """Why it is asked for; kept in the audit trail."""

    reason: str = Field(default="", max_length=500)


@dataclass(frozen=True, kw_only=True)
class Action:
    """What is to happen."""

    says: str
    """In words, for the operation: `promote bank:3`."""
    facts: tuple[Fact, ...]
    target: tuple[str, str] | None = None
    """Kind and id of the record that shows how far it is; else the first fact's outcome does."""
    at_once: bool = False
    """Handled here and now; otherwise by whoever is free."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """One request for an action."""

    request: Request
    caller: Caller
    services: Services
    idempotency_key: str

    def once(self, begin: Callable[[str], Action], *, reason: str = "", content: bytes = b"") -> JSONResponse:
        """Does what `begin` names, given the operation's id, and answers 202; or answers as it did before.

        content: what else the request holds that makes it this request
        raises: Problem of `begin`'s (nothing is kept then), 409 while it is being done, 422 when the key was used for
        something else
        """
        if not self.idempotency_key:
            return self._begun(uuid.uuid4().hex, begin, reason)
        place = digest(f"{self.caller.name}|{self.idempotency_key}")
        name, fingerprint = f"idempotency-{place[:2]}", self._fingerprint(reason, content)
        kept = self._keep(name, place, fingerprint)
        if kept.value["state"] == "done":
            return self._answer(kept.value["operation"])
        try:
            answer = self._begun(kept.value["operation"], begin, reason)
        except Problem:
            self.services.ledger.remove(kept)
            raise
        self.services.ledger.amend(kept, {**kept.value, "state": "done"})
        return answer

    def _keep(self, name: str, place: str, fingerprint: str) -> Row:
        """The key's document, ours to go on with or already done; raises: Problem 409, 422."""
        ledger, now = self.services.ledger, self.services.now()
        begun = {
            "state": "begun",
            "fingerprint": fingerprint,
            "operation": uuid.uuid4().hex,
            "at": now.isoformat(),
        }
        try:
            return ledger.put(name, place, begun, over=None)
        except Conflict:
            kept = ledger.document(name, place)
        if kept is None:
            raise Problem(
                409, "This is being done.", code="IdempotencyKeyInProgress", headers={"Retry-After": "1"}
            )
        if kept.value["fingerprint"] != fingerprint:
            detail = "This Idempotency-Key was used for another request; take a new one for each."
            raise Problem(422, detail, code="IdempotencyKeyReused")
        if kept.value["state"] == "begun" and now - datetime.fromisoformat(kept.value["at"]) < PATIENCE:
            raise Problem(
                409, "This is being done.", code="IdempotencyKeyInProgress", headers={"Retry-After": "2"}
            )
        return (
            kept
            if kept.value["state"] == "done"
            else ledger.amend(kept, {**kept.value, "at": now.isoformat()})
        )

    def _fingerprint(self, reason: str, content: bytes) -> str:
        url = self.request.url
        asked = f"{self.request.method} {url.path}?{url.query}"
        return digest(f"{asked}\n{reason}\n{hashlib.sha256(content).hexdigest()}")

    def _begun(self, operation: str, begin: Callable[[str], Action], reason: str) -> JSONResponse:
        """Recorded before it is done: an action nobody recorded must not happen."""
        ledger = self.services.ledger
        if ledger.find("operation", operation) is None:
            action = begin(operation)
            values: dict[str, Any] = {"action": action.says, "by": self.caller.name}
            values |= {"target": action.target and list(action.target)}
            values |= {"fact": action.facts[0].to_json() if action.facts else None}
            values |= {"facts": [fact.to_json() for fact in action.facts], "at_once": action.at_once}
            self._note(operation, action, reason)
            ledger.record([Change(kind="operation", id=operation, state="asked", values=values)])
        self._do(operation)
        ledger.marks.touch()
        return self._answer(operation)

    def _note(self, operation: str, action: Action, reason: str) -> None:
        entry = {
            "time": self.services.now().isoformat(timespec="milliseconds"),
            "who": self.caller.name,
            "scope": self.caller.scope.label,
            "action": action.says,
            "target": list(action.target) if action.target else None,
            "reason": reason,
            "operation": operation,
            "traceId": self.request.state.trace_id,
        }
        self.services.ledger.audit.append(operation, lambda before: chained(entry, before))

    def _do(self, operation: str) -> None:
        record = self.services.ledger.find("operation", operation)
        assert record is not None  # noqa: S101  (it was recorded just now)
        for text in record.values["facts"]:
            fact = Fact.from_json(text)
            if record.values["at_once"] or type(fact) not in flow.STEPS:
                try:
                    flow.handle(fact, self.services)
                except InProgress:
                    continue  # an earlier try of this very request is at it
            else:
                flow.ask(fact, self.services)

    def _answer(self, operation: str) -> JSONResponse:
        record = self.services.ledger.find("operation", operation)
        assert record is not None  # noqa: S101
        body, wait = operations.told(record, self.services)
        here = f"{self.request.base_url}api/operations/{operation}?{PARAMETER}={KNOWN[-1]}"
        headers = {"Operation-Location": here, "Location": body.get("resourceLocation", here)}
        return JSONResponse(body, 202, {**headers, "Retry-After": str(wait or 1)})


def _asking(request: Request, caller: AskedBy, services: Wired) -> Asking:
    key = request.headers.get("idempotency-key", "")
    if key and not IDEMPOTENCY_KEY.fullmatch(key):
        rule = "1 to 200 printable ASCII characters"
        raise rules_broken({"where": "header.Idempotency-Key", "rule": rule})
    return Asking(request=request, caller=caller, services=services, idempotency_key=key)


Asked = Annotated[Asking, Depends(_asking)]
