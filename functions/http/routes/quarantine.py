"""/api/quarantine: rows that break the contract: which and why, and an operator's decision on them."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request

from functions.http.dependencies.actions import (
    Action,
    ActionReason,
    ActionRequest,
    Reason,
    Requested,
    reason_of,
)
from functions.http.dependencies.parameters import Filters, UploadName
from functions.http.dependencies.request_context import Wired
from functions.http.dependencies.upload_version import UploadId, upload_of
from functions.http.problems import Problem
from functions.http.responses import accepted, problems
from functions.http.views import pagination, schemas
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.quarantine_report import quarantine_report
from functions.http.views.record_schemas import record
from functions.http.views.shape import page_of
from shared.domain import facts as f
from shared.domain import names
from shared.domain.kinds.quarantine import QUARANTINE
from shared.ledger import Record
from shared.services import Services

routes = APIRouter(tags=["quarantine"])

NOT_QUARANTINED = "Nothing of such a file is in quarantine; /api/quarantine lists what is."


@routes.get("/api/quarantine", response_model=page_of(record("quarantine")))
def list_quarantined_uploads(request: Request, services: Wired, filters: Filters) -> JsonAnswer:
    """What lies in quarantine, the newest first."""
    return JsonAnswer(pagination.page("quarantine", filters, request, services))


@routes.get("/api/quarantine/{name:path}", response_model=schemas.QuarantineReport, responses=problems(404))
def get_quarantined_upload(name: UploadName, services: Wired, of: UploadId = None) -> JsonAnswer:
    """Why rows of this file were put aside: by rule, and the first rows with their faults."""
    upload = upload_of(name, of, services.ledger)
    found = quarantine_report(upload, services) if upload else None
    if found is None:
        raise Problem(404, NOT_QUARANTINED)
    return JsonAnswer(found)


@routes.post("/api/quarantine/{name:path}/retry", status_code=202, responses=accepted(404))
def retry_quarantined_upload(
    name: UploadName, requested: Requested, of: UploadId = None, body: Reason = None
) -> JsonAnswer:
    """Holds the file against the contract again: after the contract was changed, say."""

    def begin(operation: str) -> Action:
        held, upload = _held(name, of, requested.services)
        blob = requested.services.files.stat(names.INCOMING, upload.values["name"])
        if blob is None or blob.etag != upload.values["etag"]:
            raise Problem(409, "The file is no longer in incoming as it was; drop it again.", code="FileGone")
        again = f.UploadArrived(name=blob.name, etag=blob.etag, attempt=upload.values.get("attempt", 1) + 1)
        decided = _decided(held, "retried", requested, body)
        return Action(says=f"check {blob.name} again", facts=(again, decided), target=("upload", again.key))

    return requested.once(begin, reason=reason_of(body))


@routes.post("/api/quarantine/{name:path}/readmit", status_code=202, responses=accepted(404))
def readmit_quarantined_upload(
    name: UploadName, requested: Requested, of: UploadId = None, body: Reason = None
) -> JsonAnswer:
    """Lets the rows in that were put aside, with the contract's rules on values waived: every row that can still be
    read as the contract's types joins the next dataset version."""

    def begin(operation: str) -> Action:
        held, _ = _held(name, of, requested.services)
        wanted = f.ReadmissionRequested(upload=held.id, operation=operation)
        return Action(says=f"let in the rows of {held.values['name']}", facts=(wanted,))

    return requested.once(begin, reason=reason_of(body))


@routes.post("/api/quarantine/{name:path}/discard", status_code=202, responses=accepted(404))
def discard_quarantined_upload(
    name: UploadName, requested: Requested, of: UploadId = None, body: Reason = None
) -> JsonAnswer:
    """Says that nobody needs what was put aside; it stays in storage, and is no longer asked about."""

    def begin(operation: str) -> Action:
        held, _ = _held(name, of, requested.services)
        decided = _decided(held, "discarded", requested, body)
        return Action(says=f"discard {held.values['name']}", facts=(decided,), at_once=True)

    return requested.once(begin, reason=reason_of(body))


def _held(name: str, of: str | None, services: Services) -> tuple[Record, Record]:
    """What the file left in quarantine, and the upload; raises: Problem 404, 409."""
    upload = upload_of(name, of, services.ledger)
    held = services.ledger.find("quarantine", upload.id) if upload else None
    if upload is None or held is None:
        raise Problem(404, NOT_QUARANTINED)
    if not QUARANTINE.state(held.state).needs_person:
        raise Problem(409, f"That was decided already: it is {held.state}.", code="AlreadyDecided")
    return held, upload


def _decided(
    held: Record,
    decision: Literal["retried", "discarded"],
    requested: ActionRequest,
    body: ActionReason | None,
) -> f.QuarantineDecided:
    return f.QuarantineDecided(
        upload=held.id, decision=decision, by=requested.caller.name, reason=reason_of(body)
    )
