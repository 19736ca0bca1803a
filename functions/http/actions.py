"""What an operator may ask for: files, decisions on quarantine, training, scoring, releases, pause."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from functions.http.asking import Action, Asked, Asking, Why
from functions.http.file_versions import UploadId, upload_of
from functions.http.problems import Problem
from functions.http.reads import Name, Version
from shared.domain import facts as f
from shared.domain import names
from shared.domain.records import dataset_id
from shared.ledger import Record
from shared.services import Services

routes = APIRouter()

CSV = ("text/csv", "application/csv", "application/octet-stream", "text/plain")
FILE = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string", "minLength": 1}}},
    }
}
LONGEST_FILE_NAME = 512
UNSTORABLE = r"\x00-\x1f\x7f\\"
"""What storage, or a browser on the way to it, does not keep in a name."""
FILE_NAME = re.compile(rf"[^{UNSTORABLE}]+")
FileName = Annotated[
    str,
    Path(
        min_length=1,
        max_length=LONGEST_FILE_NAME,
        description="The file's name: parts between slashes, none of them empty, `.` or `..`.",
        json_schema_extra={"pattern": rf"^[^{UNSTORABLE}/.][^{UNSTORABLE}/.]*(\.[^{UNSTORABLE}/.]+)*$"},
    ),
]

Reason = Annotated[Why | None, Body()]


class ScoreNow(Why):
    """Which file to score; without a name, whatever is new."""

    name: str | None = Field(default=None, min_length=1, max_length=1024)


async def _content(request: Request) -> bytes:
    """The body as it came. The worker hands it over whole, so its size is bounded by the gate."""
    return await request.body()


Content = Annotated[bytes, Depends(_content)]


# --- files ------------------------------------------------------------------------------------------------


@routes.post("/api/uploads/{name:path}", status_code=202, openapi_extra=FILE)
def drop_upload(name: FileName, asked: Asked, content: Content) -> JSONResponse:
    """Drops a CSV into `incoming`, to be trained on: the same as a blob written there."""
    _check_file(name, content, asked)

    def begin(operation: str) -> Action:
        etag = _write(names.INCOMING, name, content, asked.services)
        arrived = f.UploadArrived(name=name, etag=etag)
        return Action(says=f"upload incoming/{name}", facts=(arrived,), target=("upload", arrived.key))

    return asked.once(begin, content=content)


@routes.post("/api/batches/{batch:path}", status_code=202, openapi_extra=FILE)
def drop_batch(batch: FileName, asked: Asked, content: Content) -> JSONResponse:
    """Drops a CSV of clients into `scoring` under this name, and has it scored now."""
    _check_file(batch, content, asked)

    def begin(operation: str) -> Action:
        etag = _write(names.SCORING, batch, content, asked.services)
        target = ("batch", names.batch_id(batch, etag))
        due = f.ScoringDue(tick=operation)
        return Action(says=f"score scoring/{batch}", facts=(due,), target=target)

    return asked.once(begin, content=content)


@routes.post("/api/batches", status_code=202)
def score_now(asked: Asked, what: Annotated[ScoreNow | None, Body()] = None) -> JSONResponse:
    """Has what lies in `scoring` scored now, not at the next tick of the clock."""
    name, reason = (what.name, what.reason) if what else (None, "")

    def begin(operation: str) -> Action:
        due = f.ScoringDue(tick=operation)
        if name is None:
            return Action(says="score what is new", facts=(due,), at_once=True)
        blob = asked.services.files.stat(names.SCORING, name.removeprefix(f"{names.SCORING}/"))
        if blob is None:
            raise Problem(404, "There is no such file in the container scoring.")
        target = ("batch", names.batch_id(blob.name, blob.etag))
        return Action(says=f"score scoring/{blob.name}", facts=(due,), target=target)

    return asked.once(begin, reason=reason, content=(name or "").encode())


def _check_file(name: str, content: bytes, asked: Asking) -> None:
    """raises: Problem for a name storage would not keep as it is, for an empty body, and for one that is no text"""
    parts = name.split("/")
    fits = FILE_NAME.fullmatch(name) and not name.endswith(".")
    if not fits or any(part in ("", ".", "..") for part in parts):
        rule = "no control characters or backslashes, no empty parts, no `.` or `..`, no dot at its end"
        raise Problem(400, "The file's name cannot be kept.", errors=[{"where": "path.name", "rule": rule}])
    kind = asked.request.headers.get("content-type", CSV[0]).split(";")[0].strip().lower()
    if kind not in CSV:
        raise Problem(415, f"Send the file as {CSV[0]}.")
    if not content:
        raise Problem(422, "The body is empty: send the file's bytes, with a Content-Length.")


def _write(container: str, name: str, content: bytes, services: Services) -> str:
    """Writes the file; the ETag of the version written."""
    services.files.write(container, name, content)
    blob = services.files.stat(container, name)
    if blob is None:
        raise Problem(409, "The file was deleted while it was written; send it again.")
    return blob.etag


# --- quarantine -------------------------------------------------------------------------------------------


@routes.post("/api/quarantine/{name:path}/retry", status_code=202)
def retry_file(name: Name, asked: Asked, of: UploadId = None, why: Reason = None) -> JSONResponse:
    """Holds the file against the contract again: after the contract was changed, say."""

    def begin(operation: str) -> Action:
        held, upload = _held(name, of, asked.services)
        blob = asked.services.files.stat(names.INCOMING, upload.values["name"])
        if blob is None or blob.etag != upload.values["etag"]:
            raise Problem(409, "The file is no longer in incoming as it was; drop it again.", code="FileGone")
        again = f.UploadArrived(name=blob.name, etag=blob.etag, attempt=upload.values.get("attempt", 1) + 1)
        decided = _decided(held, "retried", asked, why)
        return Action(says=f"check {blob.name} again", facts=(again, decided), target=("upload", again.key))

    return asked.once(begin, reason=_reason(why))


@routes.post("/api/quarantine/{name:path}/release", status_code=202)
def release_file(name: Name, asked: Asked, of: UploadId = None, why: Reason = None) -> JSONResponse:
    """Lets the rows in that were put aside, with the contract's rules on values waived: every row that can still be
    read as the contract's types joins the next dataset version."""

    def begin(operation: str) -> Action:
        held, _ = _held(name, of, asked.services)
        wanted = f.RowsWanted(upload=held.id, operation=operation)
        return Action(says=f"let in the rows of {held.values['name']}", facts=(wanted,))

    return asked.once(begin, reason=_reason(why))


@routes.post("/api/quarantine/{name:path}/discard", status_code=202)
def discard_file(name: Name, asked: Asked, of: UploadId = None, why: Reason = None) -> JSONResponse:
    """Says that nobody needs what was put aside; it stays in storage, and is no longer asked about."""

    def begin(operation: str) -> Action:
        held, _ = _held(name, of, asked.services)
        decided = _decided(held, "discarded", asked, why)
        return Action(says=f"discard {held.values['name']}", facts=(decided,), at_once=True)

    return asked.once(begin, reason=_reason(why))


def _held(name: str, of: str | None, services: Services) -> tuple[Record, Record]:
    """What the file left in quarantine, and the upload; raises: Problem 404, 409."""
    upload = upload_of(name, of, services.ledger)
    held = services.ledger.find("quarantine", upload.id) if upload else None
    if upload is None or held is None:
        raise Problem(404, "Nothing of such a file is in quarantine; /api/quarantine lists what is.")
    if held.state != "held":
        raise Problem(409, f"That was decided already: it is {held.state}.", code="AlreadyDecided")
    return held, upload


def _decided(held: Record, decision: str, asked: Asking, why: Why | None) -> f.QuarantineDecided:
    return f.QuarantineDecided(upload=held.id, decision=decision, by=asked.caller.name, reason=_reason(why))


# --- models -----------------------------------------------------------------------------------------------


@routes.post("/api/datasets/{dataset}/retrain", status_code=202)
def retrain(dataset: Name, asked: Asked, why: Reason = None) -> JSONResponse:
    """Makes a dataset version of what has gathered and trains on it now; or tries again the version that failed."""

    def begin(operation: str) -> Action:
        _check_dataset(dataset, asked.services)
        due = f.RetrainDue(dataset=dataset, tick=f"asked-{operation}")
        return Action(says=f"retrain {dataset}", facts=(due,))

    return asked.once(begin, reason=_reason(why))


@routes.post("/api/models/{name}/{version:int}/promote", status_code=202)
def promote(name: Name, version: Version, asked: Asked, why: Reason = None) -> JSONResponse:
    """Puts a model version behind the endpoint, whatever the gate said of it; it is tested like any release."""

    def begin(operation: str) -> Action:
        model = dataset_id(name, version)
        if asked.services.ledger.find("model", model) is None:
            raise Problem(404, "There is no such model; /api/models lists what there is.")
        wanted = f.PromotionAsked(dataset=name, version=version, operation=operation, asked=_moment(asked))
        return Action(says=f"promote {model}", facts=(wanted,), at_once=True)

    return asked.once(begin, reason=_reason(why))


@routes.post("/api/endpoints/{dataset}/rollback", status_code=202)
def roll_back(dataset: Name, asked: Asked, why: Reason = None) -> JSONResponse:
    """Lets the model before the present one answer again; it is tested first, like any release."""

    def begin(operation: str) -> Action:
        _check_dataset(dataset, asked.services)
        wanted = f.RollbackAsked(dataset=dataset, operation=operation, asked=_moment(asked))
        return Action(says=f"roll back {dataset}", facts=(wanted,), at_once=True)

    return asked.once(begin, reason=_reason(why))


def _check_dataset(dataset: str, services: Services) -> None:
    if dataset not in {contract.dataset for contract in services.contracts}:
        raise Problem(404, "There is no such dataset; /api/status lists those there are.")


def _moment(asked: Asking) -> int:
    return round(asked.services.now().timestamp() * 1000)


# --- work as a whole --------------------------------------------------------------------------------------


@routes.post("/api/pause", status_code=202)
def pause(asked: Asked, why: Reason = None) -> JSONResponse:
    """Begins nothing new: no run, no batch, no release. Files that come are taken in, and nothing is lost."""

    def begin(operation: str) -> Action:
        paused = f.WorkPaused(operation=operation, by=asked.caller.name, reason=_reason(why))
        return Action(says="pause", facts=(paused,), at_once=True)

    return asked.once(begin, reason=_reason(why))


@routes.post("/api/resume", status_code=202)
def resume(asked: Asked, why: Reason = None) -> JSONResponse:
    """Lets work go on: whatever waited is due now."""

    def begin(operation: str) -> Action:
        resumed = f.WorkResumed(operation=operation, by=asked.caller.name, reason=_reason(why))
        return Action(says="resume", facts=(resumed,), at_once=True)

    return asked.once(begin, reason=_reason(why))


@routes.post("/api/failures/{id}/retry", status_code=202)
def retry_failure(id: Name, asked: Asked, why: Reason = None) -> JSONResponse:
    """Has a step tried again that was given up."""

    def begin(operation: str) -> Action:
        failure = asked.services.ledger.find("failure", id)
        if failure is None:
            raise Problem(404, "There is no such failure; /api/failures lists what there is.")
        if failure.state != "given-up":
            raise Problem(409, f"That was tried again already: it is {failure.state}.", code="AlreadyDecided")
        again = f.RetryAsked(failure=id, about=failure.values["about"], operation=operation)
        return Action(says=f"try {failure.values['about']} again", facts=(again,), at_once=True)

    return asked.once(begin, reason=_reason(why))


def _reason(why: Why | None) -> str:
    return why.reason if why else ""
