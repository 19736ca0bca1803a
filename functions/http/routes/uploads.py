"""/api/uploads: files to train on: what became of each, and the request to take one in."""

from __future__ import annotations

from fastapi import APIRouter, Request

from functions.http.dependencies.actions import Action, Reason, Requested, Retrain, demanded_reason, reason_of
from functions.http.dependencies.csv_body import (
    CSV_BODY,
    Content,
    FileName,
    check_file,
    check_taken_in,
    store,
)
from functions.http.dependencies.parameters import Filters, UploadName
from functions.http.dependencies.request_context import Wired
from functions.http.dependencies.upload_version import UploadId, newest_of, upload_of
from functions.http.problems import Problem
from functions.http.responses import accepted, problems
from functions.http.views import pagination
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.one_record import one
from functions.http.views.record_schemas import record
from functions.http.views.shape import page_of
from functions.http.views.svg_answer import SVG, SvgAnswer
from shared.domain import facts as f
from shared.domain import names
from shared.domain.pictures.drift_picture import drift_picture
from shared.procedures.data_decisions import NOT_ADMITTED

routes = APIRouter(tags=["uploads"])


@routes.get("/api/uploads", response_model=page_of(record("upload")))
def list_uploads(request: Request, services: Wired, filters: Filters) -> JsonAnswer:
    """The newest uploads first."""
    return JsonAnswer(pagination.page("upload", filters, request, services))


@routes.post("/api/uploads/{name:path}/withdraw", status_code=202, responses=accepted(404))
def withdraw_upload(
    name: UploadName,
    requested: Requested,
    of: UploadId = None,
    retrain: Retrain = False,
    body: Reason = None,
) -> JsonAnswer:
    """Takes an admitted upload out: the next dataset version lacks its rows, and those readmitted from it. The operation
    says what learned from them."""

    def begin(operation: str) -> Action:
        upload = upload_of(name, of, requested.services.ledger)
        if upload is None:
            raise Problem(404, "There is no such upload; /api/uploads lists what there is.")
        if upload.state == "withdrawn":
            who, why = upload.values.get("withdrawn_by"), upload.values.get("withdrawn_because")
            raise Problem(409, f"It was withdrawn already, by {who}: {why}", code="AlreadyDecided")
        if upload.state in NOT_ADMITTED:
            raise Problem(409, f"It cannot be withdrawn: {NOT_ADMITTED[upload.state]}.", code="NotAdmitted")
        wanted = f.WithdrawalRequested(
            upload=upload.id,
            operation=operation,
            by=requested.caller.name,
            reason=demanded_reason(body, "Rows that models learned from are taken out"),
            retrain=retrain,
        )
        return Action(says=f"withdraw {upload.values['name']}", facts=(wanted,))

    return requested.once(begin, reason=reason_of(body))


@routes.get(
    "/api/uploads/{name:path}/drift-picture", response_class=SvgAnswer, responses={**SVG, **problems(404)}
)
def get_upload_drift(name: UploadName, services: Wired, of: UploadId = None) -> SvgAnswer:
    """Its drift as a picture: the columns by how far they are from what the serving model learned, each with its limit."""
    upload = upload_of(name, of, services.ledger)
    if upload is None or "drift_model_version" not in upload.values:
        raise Problem(
            404, "Its drift was not measured: there is no such upload, or no model served when it came."
        )
    return SvgAnswer(drift_picture(upload.values["name"], upload.values))


@routes.get("/api/uploads/{name:path}", response_model=record("upload"), responses=problems(404))
def get_upload(name: UploadName, services: Wired) -> JsonAnswer:
    """What became of the newest version of this file."""
    return one("upload", newest_of(name, services.ledger), services)


@routes.post("/api/uploads/{name:path}", status_code=202, responses=accepted(415), openapi_extra=CSV_BODY)
def create_upload(name: FileName, requested: Requested, content: Content) -> JsonAnswer:
    """Drops a CSV into `incoming`, to be trained on: the same as a blob written there."""
    check_file(name, content, requested.request)
    check_taken_in(names.INCOMING, name, requested.services)

    def begin(operation: str) -> Action:
        etag = store(names.INCOMING, name, content, requested.services)
        arrived = f.UploadArrived(name=name, etag=etag)
        return Action(says=f"upload incoming/{name}", facts=(arrived,), target=("upload", arrived.key))

    return requested.once(begin, content=content)
