"""An action that is asked for: noted in the audit trail, recorded as an operation, begun, and answered 202."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Body, Depends, Request
from pydantic import BaseModel, Field

from functions.http.auth.callers import Caller
from functions.http.dependencies import idempotency
from functions.http.dependencies.idempotency import IdempotencyKey
from functions.http.dependencies.request_context import AskedBy, Wired
from functions.http.middleware.api_version import KNOWN, PARAMETER
from functions.http.problems import Problem
from functions.http.views import operations
from functions.http.views.json_answer import JsonAnswer
from shared import flow
from shared.domain.audit import chained
from shared.domain.facts import Fact
from shared.domain.kinds.kind import Change
from shared.errors import InProgress
from shared.services import Services


class Why(BaseModel):
    """Why it is asked for; kept in the audit trail."""

    reason: str = Field(default="", max_length=500)


Reason = Annotated[Why | None, Body()]


def reason_of(why: Why | None) -> str:
    """The reason given; empty when there is none."""
    return why.reason if why else ""


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
class ActionRequest:
    """One request for an action."""

    request: Request
    caller: Caller
    services: Services
    idempotency_key: str

    @property
    def milliseconds(self) -> int:
        """When it is asked for, since 1970."""
        return round(self.services.now().timestamp() * 1000)

    def once(self, begin: Callable[[str], Action], *, reason: str = "", content: bytes = b"") -> JsonAnswer:
        """Does what `begin` names, given the operation's id, and answers 202; or answers as it did before.

        content: what else the request holds that makes it this request
        raises: Problem of `begin`'s (nothing is kept then), 409 while it is being done, 422 when the key was used for
        something else
        """
        if not self.idempotency_key:
            return self._begun(uuid.uuid4().hex, begin, reason)
        fingerprint = idempotency.fingerprint(self.request, reason, content)
        kept = idempotency.begin(self.idempotency_key, self.caller.name, fingerprint, self.services)
        if kept.value["state"] == "done":
            return self._answer(kept.value["operation"])
        try:
            answer = self._begun(kept.value["operation"], begin, reason)
        except Problem:
            idempotency.free(kept, self.services)
            raise
        idempotency.finish(kept, self.services)
        return answer

    def _begun(self, operation: str, begin: Callable[[str], Action], reason: str) -> JsonAnswer:
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

    def _answer(self, operation: str) -> JsonAnswer:
        record = self.services.ledger.find("operation", operation)
        assert record is not None  # noqa: S101
        body, wait = operations.told(record, self.services)
        here = f"{self.request.base_url}api/operations/{operation}?{PARAMETER}={KNOWN[-1]}"
        headers = {"Operation-Location": here, "Location": body.get("resourceLocation", here)}
        return JsonAnswer(body, 202, {**headers, "Retry-After": str(wait or 1)})


def _action_request(
    request: Request, caller: AskedBy, services: Wired, key: IdempotencyKey = ""
) -> ActionRequest:
    return ActionRequest(request=request, caller=caller, services=services, idempotency_key=key)


Requested = Annotated[ActionRequest, Depends(_action_request)]
