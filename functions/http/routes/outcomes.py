"""/api/outcomes: files of what calls brought: what became of each, its lines that could not be used, and dropping one."""

from __future__ import annotations

from fastapi import APIRouter, Request

from functions.http.dependencies.actions import Action, Requested
from functions.http.dependencies.csv_body import (
    CSV_BODY,
    Content,
    FileName,
    check_file,
    check_taken_in,
    store,
)
from functions.http.dependencies.parameters import Filters, OutcomeId
from functions.http.dependencies.request_context import Wired
from functions.http.responses import accepted, problems
from functions.http.views import pagination, schemas
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.one_record import one
from functions.http.views.outcome_faults import outcome_faults
from functions.http.views.record_schemas import record
from functions.http.views.shape import page_of
from shared.domain import facts as f
from shared.domain import names

routes = APIRouter(tags=["outcomes"])


@routes.get("/api/outcomes", response_model=page_of(record("outcome")))
def list_outcomes(request: Request, services: Wired, filters: Filters) -> JsonAnswer:
    """The newest files of outcomes first."""
    return JsonAnswer(pagination.page("outcome", filters, request, services))


@routes.get("/api/outcomes/{outcome}", response_model=record("outcome"), responses=problems(404))
def get_outcome(outcome: OutcomeId, services: Wired) -> JsonAnswer:
    """What became of one file of outcomes; what they come to is told by its batch."""
    return one("outcome", outcome, services)


@routes.get("/api/outcomes/{outcome}/faults", response_model=schemas.LineFaults, responses=problems(404))
def get_outcome_faults(outcome: OutcomeId, services: Wired) -> JsonAnswer:
    """The lines of the file that could not be used, each with what is wrong with it."""
    return JsonAnswer(outcome_faults(outcome, services))


@routes.post("/api/outcomes/{outcome:path}", status_code=202, responses=accepted(415), openapi_extra=CSV_BODY)
def create_outcome(outcome: FileName, requested: Requested, content: Content) -> JsonAnswer:
    """Drops a CSV of outcomes into `outcomes`, to be joined to the scores of its batch: the same as a blob written there.
    Its folder is the batch's id, or its column `batch` names it."""
    check_file(outcome, content, requested.request)
    check_taken_in(names.OUTCOMES, outcome, requested.services)

    def begin(operation: str) -> Action:
        etag = store(names.OUTCOMES, outcome, content, requested.services)
        arrived = f.OutcomesArrived(name=outcome, etag=etag)
        return Action(says=f"join outcomes/{outcome}", facts=(arrived,), target=("outcome", arrived.outcome))

    return requested.once(begin, content=content)
