"""Long-running operations: an action is audited, recorded as an operation, begun, and answered 202."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from fastapi import Body, Depends, Query, Request
from pydantic import BaseModel, Field

from functions.http.auth.callers import Caller
from functions.http.dependencies import idempotency
from functions.http.dependencies.idempotency import IdempotencyKey
from functions.http.dependencies.request_context import AskedBy, Wired
from functions.http.middleware.api_version import PARAMETER
from functions.http.problems import Problem
from functions.http.views import operations
from functions.http.views.json_answer import JsonAnswer
from shared import flow
from shared.domain.facts import Fact, OperationRequested
from shared.errors import CampanhaError, GivenUp, InProgress, Transient
from shared.services import Services


class ActionReason(BaseModel):
    """Why it is asked for; kept in the audit trail."""

    reason: str = Field(default="", max_length=500, description="Why.", examples=["month end"])


Reason = Annotated[ActionReason | None, Body()]


def reason_of(body: ActionReason | None) -> str:
    """The reason given; empty when there is none."""
    return body.reason if body else ""


def demanded_reason(body: ActionReason | None, why: str) -> str:
    """The reason given; raises: Problem 400 when there is none. why: it is needed"""
    reason = reason_of(body).strip()
    if not reason:
        raise Problem(400, f'{why}: say why, as {{"reason": "..."}}.', code="ReasonRequired")
    return reason


Retrain = Annotated[
    bool, Query(description="Whether to make a dataset version that goes by it, and train on it, at once.")
]


@dataclass(frozen=True, kw_only=True)
class Action:
    """What is to happen."""

    says: str
    """In words, for the operation: `promote bank:3`."""
    facts: tuple[Fact, ...]
    target: tuple[str, str] | tuple[str, str, str] | None = None
    """Kind and id of the record that shows how far it is; else the first fact's outcome does. Then the name of a file in
    `scoring`, where only what lies there when a clock looks is taken up."""
    at_once: bool = False
    """Handled within the request as well, if that goes through; otherwise by the next free worker alone, as what needs the
    workspace or another queue than `steps` has to be: the API's identity has no role there."""


@dataclass(frozen=True, kw_only=True)
class ActionRequest:
    """One request for an action."""

    request: Request
    caller: Caller
    services: Services
    idempotency_key: str

    @property
    def milliseconds(self) -> int:
        """The request's time, in milliseconds since 1970."""
        return round(self.services.now().timestamp() * 1000)

    def once(self, begin: Callable[[str], Action], *, reason: str = "", content: bytes = b"") -> JsonAnswer:
        """Does what `begin` names, given the operation's id, and answers 202; or answers as it did before.

        content: what else the request holds that makes it this request
        raises: Problem of `begin`'s (nothing is stored then), 409 while it is being done, 422 when the key was used for
        something else
        """
        if not self.idempotency_key:
            return self._begun(uuid.uuid4().hex, begin, reason)
        fingerprint = idempotency.fingerprint(self.request, reason, content)
        use = idempotency.begin(self.idempotency_key, self.caller.name, fingerprint, self.services)
        if use.value.state == "done":
            return self._answer(use.value.operation)
        try:
            answer = self._begun(use.value.operation, begin, reason)
            idempotency.finish(use, self.services)
        except Problem:
            idempotency.free(use, self.services)
            raise
        except CampanhaError:  # a 503, after which the same request comes again
            idempotency.leave(use, self.services)
            raise
        return answer

    def _begun(self, operation: str, begin: Callable[[str], Action], reason: str) -> JsonAnswer:
        """Writes the audit entry before the operation: a crash in between leaves an entry too many, never an action
        that the audit trail does not have. An attempt that died after it claimed the operation is finished as it was
        meant: its fact is in the claim."""
        claimed = self.services.ledger.claims.find(OperationRequested.key_of(operation))
        if claimed is not None:
            self._handle(OperationRequested.from_json(claimed.value["fact"]), at_once=False)
        else:
            action = begin(operation)
            self._audit(operation, action, reason)
            requested = OperationRequested(
                operation=operation,
                action=action.says,
                by=self.caller.name,
                facts=[fact.to_json() for fact in action.facts],
                target=list(action.target) if action.target else None,
            )
            self._handle(requested, at_once=action.at_once)
        return self._answer(operation)

    def _handle(self, requested: OperationRequested, *, at_once: bool) -> None:
        """raises: Transient where an earlier attempt of this very request has it, which may have failed before anybody else
        knew of it"""
        try:
            due = flow.handle(requested, self.services)
        except GivenUp:
            return
        except InProgress as held:
            if not self.services.ledger.outbox.is_open(requested):
                raise Transient("an attempt at this request is under way, or failed; ask again") from held
            return
        with suppress(CampanhaError):  # it is accepted: its message is on its way to a worker
            for fact in due if at_once else ():
                flow.handle(fact, self.services, expected=True)

    def _audit(self, operation: str, action: Action, reason: str) -> None:
        entry = {
            "recordedAt": self.services.now().isoformat(timespec="milliseconds"),
            "caller": self.caller.name,
            "scope": self.caller.scope.label,
            "action": action.says,
            **({"target": dict(zip(("kind", "id"), action.target, strict=False))} if action.target else {}),
            "reason": reason,
            "operationId": operation,
            "traceId": self.request.state.trace_id,
        }
        self.services.ledger.audit.append(entry, retried=bool(self.idempotency_key))

    def _answer(self, operation: str) -> JsonAnswer:
        record = self.services.ledger.find("operation", operation)
        assert record is not None  # noqa: S101
        body, wait = operations.progress_body(record, self.services)
        here = f"{self.request.base_url}api/operations/{operation}?{PARAMETER}={self.request.query_params[PARAMETER]}"
        headers = {"Operation-Location": here, "Location": body.get("resourceLocation", here)}
        return JsonAnswer(body, 202, {**headers, "Retry-After": str(wait or 1)})


def _action_request(
    request: Request, caller: AskedBy, services: Wired, key: IdempotencyKey = ""
) -> ActionRequest:
    return ActionRequest(request=request, caller=caller, services=services, idempotency_key=key)


Requested = Annotated[ActionRequest, Depends(_action_request)]
