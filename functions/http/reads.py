"""What became of every file, dataset version, run, model and batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from functions.http.depends import Wired
from functions.http.problems import Problem
from shared.domain.names import INCOMING
from shared.domain.records import dataset_id
from shared.ledger import Ledger, Record
from shared.services import Services

routes = APIRouter()

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
After = Annotated[
    str, Query(max_length=64, pattern="^[0-9a-f-]*$", description="From the last page's nextLink.")
]


@routes.get("/api/status")
def status(services: Wired) -> dict[str, Any]:
    """The whole at a glance: what serves, what runs, what came last, and what needs a person."""
    ledger = services.ledger
    datasets = []
    for contract in services.contracts:
        head = ledger.document("head", contract.dataset)
        serving, slot = (
            ledger.document("released", contract.dataset),
            ledger.document("slot", contract.dataset),
        )
        datasets.append(
            {
                "dataset": contract.dataset,
                "version": head.value["version"] if head else None,
                "gathering": len(ledger.documents(f"gathered-{contract.dataset}")),
                "serving": serving.value if serving else None,
                "run": slot.value["run"] if slot and slot.value["state"] != "free" else None,
            }
        )
    newest = {
        f"{kind}s" if kind != "batch" else "batches": [_shown(r) for r in ledger.newest(kind, limit=5)[0]]
        for kind in ("upload", "run", "model", "batch", "failure")
    }
    return {"datasets": datasets, **newest}


@routes.get("/api/health")
def health(services: Wired) -> JSONResponse:
    """Whether Campanha could work now: the ledger and the storage answer."""
    checks: dict[str, Callable[[], object]] = {
        "ledger:read": lambda: services.ledger.document("head", "-"),
        "storage:read": lambda: services.files.stat(INCOMING, "-"),
    }
    found = {name: [{"status": _probe(check)}] for name, check in checks.items()}
    passing = all(check[0]["status"] == "pass" for check in found.values())
    return JSONResponse(
        {"status": "pass" if passing else "fail", "checks": found},
        status_code=200 if passing else 503,
        media_type="application/health+json",
    )


def _probe(check: Callable[[], object]) -> str:
    try:
        check()
    except Exception:  # noqa: BLE001  (whatever it is, the answer is "fail", and nothing of it goes outside)
        return "fail"
    return "pass"


def _page(kind: str, request: Request, services: Services, limit: int, after: str) -> dict[str, Any]:
    records, more = services.ledger.newest(kind, limit=limit, after=after)
    page: dict[str, Any] = {"value": [_shown(record) for record in records]}
    if more:
        page["nextLink"] = str(request.url.include_query_params(limit=limit, after=more))
    return page


@routes.get("/api/uploads")
def uploads(request: Request, services: Wired, limit: Limit = 50, after: After = "") -> dict[str, Any]:
    """The newest uploads first."""
    return _page("upload", request, services, limit, after)


@routes.get("/api/uploads/{name:path}")
def upload(name: str, services: Wired) -> dict[str, Any]:
    """What became of the newest version of this file."""
    ledger = services.ledger
    file = ledger.find("file", f"{INCOMING}/{name.removeprefix(INCOMING + '/')}")
    return _shown(_found(ledger.find("upload", file.values["upload"]) if file else None, f"upload {name}"))


@routes.get("/api/datasets")
def datasets(request: Request, services: Wired, limit: Limit = 50, after: After = "") -> dict[str, Any]:
    """The newest dataset versions first."""
    return _page("dataset", request, services, limit, after)


@routes.get("/api/datasets/{name}/{version}")
def dataset(name: str, version: int, services: Wired) -> dict[str, Any]:
    """One dataset version: its members, and its run."""
    return _one(services, "dataset", dataset_id(name, version))


@routes.get("/api/runs")
def runs(request: Request, services: Wired, limit: Limit = 50, after: After = "") -> dict[str, Any]:
    """The newest runs first."""
    return _page("run", request, services, limit, after)


@routes.get("/api/runs/{run}")
def run(run: str, services: Wired) -> dict[str, Any]:
    """One run with its steps."""
    return _one(services, "run", run)


@routes.get("/api/models")
def models(request: Request, services: Wired, limit: Limit = 50, after: After = "") -> dict[str, Any]:
    """The newest models first."""
    return _page("model", request, services, limit, after)


@routes.get("/api/models/{name}/{version}")
def model(name: str, version: int, services: Wired) -> dict[str, Any]:
    """One model: its figures, the verdict, and where it serves."""
    return _one(services, "model", dataset_id(name, version))


@routes.get("/api/batches")
def batches(request: Request, services: Wired, limit: Limit = 50, after: After = "") -> dict[str, Any]:
    """The newest batches first."""
    return _page("batch", request, services, limit, after)


@routes.get("/api/batches/{batch}")
def batch(batch: str, services: Wired) -> dict[str, Any]:
    """One batch: what was scored, by which model, and where the output lies."""
    return _one(services, "batch", batch)


@routes.get("/api/trace/{name:path}")
def trace(name: str, services: Wired) -> dict[str, Any]:
    """What became of a file, link by link: upload, dataset version, run, model; or the batch it was scored in."""
    ledger = services.ledger
    file = (
        ledger.find("file", name)
        or ledger.find("file", f"{INCOMING}/{name}")
        or ledger.find("file", f"scoring/{name}")
    )
    links: dict[str, Any] = {}
    if _found(file, f"file {name}").values.get("batch"):
        links["batch"] = ledger.find("batch", file.values["batch"]) if file else None
    else:
        links = _upload_links(ledger, file.values["upload"] if file else "")
    return {kind: _shown(record) for kind, record in links.items() if record}


def _upload_links(ledger: Ledger, upload_id: str) -> dict[str, Record | None]:
    links: dict[str, Record | None] = {"upload": ledger.find("upload", upload_id)}
    upload = links["upload"]
    if upload and "same_as" in upload.values:
        upload = links["same_as"] = ledger.find("upload", upload.values["same_as"])
    version = upload.values.get("dataset_version") if upload else None
    if version:
        links["dataset"] = ledger.find("dataset", version)
        run_name = links["dataset"].values.get("run") if links["dataset"] else None
        links["run"] = ledger.find("run", run_name) if run_name else None
        links["model"] = ledger.find("model", version)
    return links


def _one(services: Services, kind: str, id_: str) -> dict[str, Any]:
    return _shown(_found(services.ledger.find(kind, id_), f"{kind} {id_}"))


def _found(record: Record | None, what: str) -> Record:
    if record is None:
        raise Problem(
            404, f"There is no {what}. The lists (/api/uploads, /api/runs, ...) show what there is."
        )
    return record


def _shown(record: Record) -> dict[str, Any]:
    head = {"id": record.id, "state": record.state, "seq": record.seq}
    return {**head, "created": record.created, "updated": record.updated, **record.values}
