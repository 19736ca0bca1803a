"""/api/failures: dead letters (what failed as often as it may), and the request to retry one."""

from __future__ import annotations

from fastapi import APIRouter, Request

from functions.http.dependencies.actions import Action, Reason, Requested, reason_of
from functions.http.dependencies.parameters import FailureId, Filters
from functions.http.dependencies.request_context import Wired
from functions.http.problems import Problem
from functions.http.responses import accepted, problems
from functions.http.views import pagination
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.one_record import one
from functions.http.views.record_schemas import record
from functions.http.views.shape import page_of
from shared.domain import facts as f
from shared.domain.kinds.failure import FAILURE

routes = APIRouter(tags=["failures"])


@routes.get("/api/failures", response_model=page_of(record("failure")))
def list_failures(request: Request, services: Wired, filters: Filters) -> JsonAnswer:
    """The newest failures first: what failed as often as it may, and waits for a person."""
    return JsonAnswer(pagination.page("failure", filters, request, services))


@routes.get("/api/failures/{id}", response_model=record("failure"), responses=problems(404))
def get_failure(id: FailureId, services: Wired) -> JsonAnswer:
    """One failure: what failed, and why."""
    return one("failure", id, services)


@routes.post("/api/failures/{id}/retry", status_code=202, responses=accepted(404))
def retry_failure(id: FailureId, requested: Requested, body: Reason = None) -> JsonAnswer:
    """Has a step tried again that was given up."""

    def begin(operation: str) -> Action:
        failure = requested.services.ledger.find("failure", id)
        if failure is None:
            raise Problem(404, "There is no such failure; /api/failures lists what there is.")
        if not FAILURE.state(failure.state).needs_person:
            raise Problem(409, f"That was tried again already: it is {failure.state}.", code="AlreadyDecided")
        again = f.RetryRequested(failure=id, about=failure.values["about"], operation=operation)
        return Action(says=f"try {failure.values['about']} again", facts=(again,))

    return requested.once(begin, reason=reason_of(body))
