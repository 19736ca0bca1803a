"""/api/batches: files of clients to score: how far each is, its first scored rows, and the request to score one."""

from __future__ import annotations

from itertools import count
from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, Field, StrictBool

from functions.http.dependencies.actions import Action, ActionReason, Requested
from functions.http.dependencies.csv_body import (
    CSV_BODY,
    Content,
    FileName,
    check_file,
    check_taken_in,
    store,
)
from functions.http.dependencies.parameters import BatchFilters, BatchId, PageSize
from functions.http.dependencies.request_context import Wired
from functions.http.problems import Problem
from functions.http.responses import accepted, problems
from functions.http.views import pagination, schemas
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.one_record import one
from functions.http.views.record_schemas import record
from functions.http.views.scored_rows import first_rows
from functions.http.views.shape import page_of
from functions.http.views.svg_answer import SVG, SvgAnswer
from shared.domain import facts as f
from shared.domain import names
from shared.domain.pictures.drift_picture import drift_picture
from shared.ports import Blob
from shared.services import Services

routes = APIRouter(tags=["batches"])


class ScoreFilesRequest(ActionReason):
    """Which file to score; without a name, whatever is new."""

    anew: StrictBool = Field(
        default=False,
        description="Whether to score it although the same model scored the same clients before; needs a name.",
        examples=[True],
    )

    name: str = Field(
        default_factory=str,
        min_length=1,
        max_length=1024,
        description="Its name in `scoring`.",
        examples=["clients.csv"],
    )


class ApprovalRequest(BaseModel):
    """Why a held batch is scored all the same; kept with the batch, and in the audit trail."""

    reason: str = Field(
        min_length=1, max_length=500, description="Why.", examples=["the index was rebased in June"]
    )


@routes.get("/api/batches", response_model=page_of(record("batch")))
def list_batches(request: Request, services: Wired, filters: BatchFilters) -> JsonAnswer:
    """The newest batches first."""
    return JsonAnswer(pagination.page("batch", filters, request, services))


@routes.get("/api/batches/{batch}", response_model=record("batch"), responses=problems(404))
def get_batch(batch: BatchId, services: Wired) -> JsonAnswer:
    """One batch: what was scored, by which model, and where the output lies."""
    return one("batch", batch, services)


@routes.get(
    "/api/batches/{batch}/drift-picture", response_class=SvgAnswer, responses={**SVG, **problems(404)}
)
def get_batch_drift(batch: BatchId, services: Wired) -> SvgAnswer:
    """Its drift as a picture: the columns by how far they are from what its model learned, each with its limit."""
    found = services.ledger.find("batch", batch)
    if found is None or not {"drift", "score_drift"} & found.values.keys():
        raise Problem(404, "Its drift was not measured: there is no such batch, or it was not read yet.")
    return SvgAnswer(drift_picture(found.values["name"], found.values))


@routes.get("/api/batches/{batch}/rows", response_model=schemas.ScoredRows, responses=problems(404))
def get_scored_rows(batch: BatchId, services: Wired, maxpagesize: PageSize = 50) -> JsonAnswer:
    """The first rows of a scored batch, for people to look at: what a spreadsheet would take for a formula is
    defused. Programs read the output itself, which is as it is."""
    return JsonAnswer(first_rows(batch, maxpagesize, services))


@routes.post("/api/batches", status_code=202, responses=accepted(404))
def score_pending_files(
    requested: Requested, what: Annotated[ScoreFilesRequest | None, Body()] = None
) -> JsonAnswer:
    """Has what lies in `scoring` scored now, not at the next tick of the clock. A file whose clients the same model
    scored before becomes a `duplicate`, unless it is to be scored `anew`."""
    name, reason = (what.name, what.reason) if what else ("", "")
    anew = what is not None and what.anew
    if anew and not name:
        raise Problem(400, "Only a file can be scored anew: give its name.", code="NameMissing")

    def begin(operation: str) -> Action:
        due = f.ScoringDue(tick=operation)
        if not name:
            return Action(says="score what is new", facts=(due,), at_once=True)
        blob = _file(name, requested.services)
        if blob is None:
            raise Problem(404, "There is no such file in the container scoring.")
        if anew:
            again = _anew(blob, requested.services)
            return Action(says=f"score scoring/{name} anew", facts=(again,), target=("batch", again.batch))
        target = ("batch", names.batch_id(blob.name, blob.etag), blob.name)
        return Action(says=f"score scoring/{blob.name}", facts=(due,), target=target)

    return requested.once(begin, reason=reason, content=f"{name}{' anew' * anew}".encode())


def _file(name: str, services: Services) -> Blob | None:
    """The file of that name, which is without its container, or else with it."""
    found = services.files.stat(names.SCORING, name)
    bare = name.removeprefix(f"{names.SCORING}/")
    return found if found or bare == name else services.files.stat(names.SCORING, bare)


def _anew(blob: Blob, services: Services) -> f.BatchDue:
    """The first attempt at this version of the file that nobody has asked for yet."""
    attempts = (f.BatchDue(name=blob.name, etag=blob.etag, attempt=number) for number in count(2))
    return next(due for due in attempts if services.ledger.find("batch", due.batch) is None)


@routes.post("/api/batches/{batch}/approve", status_code=202, responses=accepted(404))
def approve_batch(batch: BatchId, requested: Requested, body: ApprovalRequest) -> JsonAnswer:
    """Has a held batch scored as it is. The other way out is a mended file of the same name, which takes its place."""

    def begin(operation: str) -> Action:
        found = requested.services.ledger.find("batch", batch)
        if found is None:
            raise Problem(404, "There is no such batch; /api/batches lists what there is.")
        if found.state != "held":
            raise Problem(409, f"Only a held batch is approved: it is {found.state}.", code="NotHeld")
        approved = f.BatchApproved(batch=batch, by=requested.caller.name, reason=body.reason)
        return Action(says=f"approve {batch}", facts=(approved,))

    return requested.once(begin, reason=body.reason)


@routes.post("/api/batches/{batch:path}", status_code=202, responses=accepted(415), openapi_extra=CSV_BODY)
def create_batch(batch: FileName, requested: Requested, content: Content) -> JsonAnswer:
    """Drops a CSV of clients into `scoring` under this name, and has it scored now."""
    check_file(batch, content, requested.request)
    check_taken_in(names.SCORING, batch, requested.services)

    def begin(operation: str) -> Action:
        etag = store(names.SCORING, batch, content, requested.services)
        target = ("batch", names.batch_id(batch, etag), batch)
        due = f.ScoringDue(tick=operation)
        return Action(says=f"score scoring/{batch}", facts=(due,), target=target)

    return requested.once(begin, content=content)
