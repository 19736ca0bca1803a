"""What can be read: the summary, the lists, each thing by its name, and what became of a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from functions.http import listing
from functions.http.depends import Wired
from functions.http.file_versions import newest_of
from functions.http.listing import Asked
from functions.http.patience import is_finished, retry_after
from functions.http.problems import Problem
from functions.http.shown import Json, shown
from functions.http.summary import summary
from functions.http.way import way
from shared.domain.names import INCOMING
from shared.domain.records import dataset_id
from shared.ledger import Record
from shared.services import Services

routes = APIRouter()

Filters = Annotated[Asked, Query()]
Name = Annotated[str, Path(min_length=1, max_length=1024)]
Version = Annotated[int, Path(ge=1, le=10**9)]


@routes.get("/api/status")
def status(services: Wired) -> Json:
    """The whole at a glance: what serves, what runs, what came last, and what needs a person."""
    return summary(services)


@routes.get("/api/health")
def health(services: Wired) -> JSONResponse:
    """Whether Campanha could work now: the ledger and the storage answer."""
    checks: dict[str, Callable[[], object]] = {
        "ledger:read": lambda: services.ledger.marks.read(facts=False),
        "storage:read": lambda: services.files.stat(INCOMING, "-"),
    }
    found = {name: [{"status": _probe(check)}] for name, check in checks.items()}
    passing = all(check[0]["status"] == "pass" for check in found.values())
    body: dict[str, Any] = {"status": "pass" if passing else "fail", "checks": found}
    return JSONResponse(body, 200 if passing else 503, media_type="application/health+json")


def _probe(check: Callable[[], object]) -> str:
    try:
        check()
    except Exception:  # noqa: BLE001  (whatever it is, the answer is "fail", and nothing of it goes outside)
        return "fail"
    return "pass"


# --- lists ------------------------------------------------------------------------------------------------


@routes.get("/api/uploads")
def uploads(request: Request, services: Wired, asked: Filters) -> Json:
    """The newest uploads first."""
    return listing.page("upload", asked, request, services)


@routes.get("/api/datasets")
def datasets(request: Request, services: Wired, asked: Filters) -> Json:
    """The newest dataset versions first."""
    return listing.page("dataset", asked, request, services)


@routes.get("/api/runs")
def runs(request: Request, services: Wired, asked: Filters) -> Json:
    """The newest runs first."""
    return listing.page("run", asked, request, services)


@routes.get("/api/models")
def models(request: Request, services: Wired, asked: Filters) -> Json:
    """The newest models first, with their figures."""
    return listing.page("model", asked, request, services)


@routes.get("/api/deployments")
def deployments(request: Request, services: Wired, asked: Filters) -> Json:
    """The newest deployments first: what answers, with how much of the traffic, and what stands by."""
    return listing.page("deployment", asked, request, services)


@routes.get("/api/batches")
def batches(request: Request, services: Wired, asked: Filters) -> Json:
    """The newest batches first."""
    return listing.page("batch", asked, request, services)


@routes.get("/api/quarantine")
def quarantine(request: Request, services: Wired, asked: Filters) -> Json:
    """What lies in quarantine, the newest first."""
    return listing.page("quarantine", asked, request, services)


@routes.get("/api/failures")
def failures(request: Request, services: Wired, asked: Filters) -> Json:
    """The newest failures first: what failed as often as it may, and waits for a person."""
    return listing.page("failure", asked, request, services)


@routes.get("/api/events")
def events(request: Request, services: Wired, asked: Filters) -> Json:
    """The newest events first: one for every move of anything from one state to the next."""
    return listing.events(asked, request, services)


# --- one of them ------------------------------------------------------------------------------------------


@routes.get("/api/uploads/{name:path}")
def upload(name: Name, services: Wired, response: Response) -> Json:
    """What became of the newest version of this file."""
    return _one("upload", newest_of(name, services.ledger), services, response)


@routes.get("/api/datasets/{name}/{version:int}")
def dataset(name: Name, version: Version, services: Wired, response: Response) -> Json:
    """One dataset version: its members, and its run."""
    return _one("dataset", dataset_id(name, version), services, response)


@routes.get("/api/runs/{run}")
def run(run: Name, services: Wired, response: Response) -> Json:
    """One run with its steps."""
    return _one("run", run, services, response)


@routes.get("/api/models/{name}/{version:int}")
def model(name: Name, version: Version, services: Wired, response: Response) -> Json:
    """One model: its figures, the verdict, and where it serves."""
    return _one("model", dataset_id(name, version), services, response)


@routes.get("/api/deployments/{endpoint}/{deployment}")
def deployment(endpoint: Name, deployment: Name, services: Wired, response: Response) -> Json:
    """One deployment: its model, its traffic, its health."""
    return _one("deployment", f"{endpoint}/{deployment}", services, response)


@routes.get("/api/batches/{batch}")
def batch(batch: Name, services: Wired, response: Response) -> Json:
    """One batch: what was scored, by which model, and where the output lies."""
    return _one("batch", batch, services, response)


@routes.get("/api/failures/{id}")
def failure(id: Name, services: Wired, response: Response) -> Json:
    """One failure: what failed, and why."""
    return _one("failure", id, services, response)


@routes.get("/api/trace/{asked:path}")
def trace(asked: Name, services: Wired) -> Json:
    """What became of a file, link by link, by its name, its SHA-256 or its content's hash; or, for a file of clients,
    which model scored it and what that was trained on."""
    found = way(asked, services.ledger.chronicle)
    if found is None:
        raise Problem(
            404, "No such file was ever seen. Names are as in storage: incoming/NAME or scoring/NAME."
        )
    return found


def _one(kind: str, id_: str, services: Services, response: Response) -> Json:
    """The record; what is not finished also says when it is worth asking again."""
    record = _found(services.ledger.find(kind, id_), kind)
    if not is_finished(record):
        averages = services.ledger.chronicle.head().averages
        response.headers["Retry-After"] = str(retry_after(record, averages, services.now()))
    return shown(record)


def _found(record: Record | None, kind: str) -> Record:
    if record is None:
        raise Problem(
            404, f"There is no such {kind}. The lists (/api/uploads, /api/runs, ...) show what there is."
        )
    return record
