"""/api/uploads: files to train on: what became of each, and the request to take one in."""

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
from functions.http.dependencies.parameters import Filters, UploadName
from functions.http.dependencies.request_context import Wired
from functions.http.dependencies.upload_version import newest_of
from functions.http.responses import accepted, problems
from functions.http.views import pagination
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.one_record import one
from functions.http.views.record_schemas import record
from functions.http.views.shape import page_of
from shared.domain import facts as f
from shared.domain import names

routes = APIRouter(tags=["uploads"])


@routes.get("/api/uploads", response_model=page_of(record("upload")))
def list_uploads(request: Request, services: Wired, filters: Filters) -> JsonAnswer:
    """The newest uploads first."""
    return JsonAnswer(pagination.page("upload", filters, request, services))


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
