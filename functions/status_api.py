"""The status API: what became of every file, dataset version, run, model and batch."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from shared import wiring
from shared.domain.names import INCOMING
from shared.domain.records import dataset_id
from shared.ledger import Ledger, Record

app = FastAPI(title="Campanha", version="1", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
After = Annotated[
    str, Query(max_length=64, pattern="^[0-9a-f-]*$", description="From the last page's nextLink.")
]


def _ledger() -> Ledger:
    return wiring.services().ledger


@app.get("/api/status")
def status() -> dict[str, Any]:
    """The whole at a glance: what serves, what runs, what came last, and what needs a person."""
    services = wiring.services()
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


@app.get("/api/health")
def health() -> JSONResponse:
    """Whether Campanha could work now: the ledger and the storage answer."""
    services = wiring.services()
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


def _page(kind: str, request: Request, limit: int, after: str) -> dict[str, Any]:
    records, more = _ledger().newest(kind, limit=limit, after=after)
    page: dict[str, Any] = {"value": [_shown(record) for record in records]}
    if more:
        page["nextLink"] = str(request.url.include_query_params(limit=limit, after=more))
    return page


@app.get("/api/uploads")
def uploads(request: Request, limit: Limit = 50, after: After = "") -> dict[str, Any]:
    """The newest uploads first."""
    return _page("upload", request, limit, after)


@app.get("/api/uploads/{name:path}")
def upload(name: str) -> dict[str, Any]:
    """What became of the newest version of this file."""
    ledger = _ledger()
    file = ledger.find("file", f"{INCOMING}/{name.removeprefix(INCOMING + '/')}")
    return _shown(_found(ledger.find("upload", file.values["upload"]) if file else None, f"upload {name}"))


@app.get("/api/datasets")
def datasets(request: Request, limit: Limit = 50, after: After = "") -> dict[str, Any]:
    """The newest dataset versions first."""
    return _page("dataset", request, limit, after)


@app.get("/api/datasets/{name}/{version}")
def dataset(name: str, version: int) -> dict[str, Any]:
    """One dataset version: its members, and its run."""
    return _one("dataset", dataset_id(name, version))


@app.get("/api/runs")
def runs(request: Request, limit: Limit = 50, after: After = "") -> dict[str, Any]:
    """The newest runs first."""
    return _page("run", request, limit, after)


@app.get("/api/runs/{run}")
def run(run: str) -> dict[str, Any]:
    """One run with its steps."""
    return _one("run", run)


@app.get("/api/models")
def models(request: Request, limit: Limit = 50, after: After = "") -> dict[str, Any]:
    """The newest models first."""
    return _page("model", request, limit, after)


@app.get("/api/models/{name}/{version}")
def model(name: str, version: int) -> dict[str, Any]:
    """One model: its figures, the verdict, and where it serves."""
    return _one("model", dataset_id(name, version))


@app.get("/api/batches")
def batches(request: Request, limit: Limit = 50, after: After = "") -> dict[str, Any]:
    """The newest batches first."""
    return _page("batch", request, limit, after)


@app.get("/api/batches/{batch}")
def batch(batch: str) -> dict[str, Any]:
    """One batch: what was scored, by which model, and where the output lies."""
    return _one("batch", batch)


@app.get("/api/trace/{name:path}")
def trace(name: str) -> dict[str, Any]:
    """What became of a file, link by link: upload, dataset version, run, model; or the batch it was scored in."""
    ledger = _ledger()
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


def _one(kind: str, id_: str) -> dict[str, Any]:
    return _shown(_found(_ledger().find(kind, id_), f"{kind} {id_}"))


def _found(record: Record | None, what: str) -> Record:
    if record is None:
        raise HTTPException(
            404, f"There is no {what}. The lists (/api/uploads, /api/runs, ...) show what there is."
        )
    return record


def _shown(record: Record) -> dict[str, Any]:
    head = {"id": record.id, "state": record.state, "seq": record.seq}
    return {**head, "created": record.created, "updated": record.updated, **record.values}


# --- errors: problem+json (RFC 9457), with stable codes -----------------------------------------------------


def _problem(status_code: int, detail: str, code: str, **more: Any) -> JSONResponse:
    title = HTTPStatus(status_code).phrase
    body = {
        "type": "about:blank",
        "title": title,
        "status": status_code,
        "detail": detail,
        "code": code,
        **more,
    }
    return JSONResponse(
        body,
        status_code=status_code,
        media_type="application/problem+json",
        headers={"x-ms-error-code": code, "Cache-Control": "no-store"},
    )


@app.exception_handler(StarletteHTTPException)
async def _http_problem(request: Request, problem: StarletteHTTPException) -> JSONResponse:
    codes = {404: "NotFound", 405: "MethodNotAllowed"}
    return _problem(problem.status_code, str(problem.detail), codes.get(problem.status_code, "BadRequest"))


@app.exception_handler(RequestValidationError)
async def _bad_request(request: Request, problem: RequestValidationError) -> JSONResponse:
    faults = [{"where": ".".join(map(str, e["loc"])), "rule": e["msg"]} for e in problem.errors()]
    return _problem(400, "The request breaks the rules named in `errors`.", "InvalidParameter", errors=faults)


@app.exception_handler(Exception)
async def _unexpected(request: Request, problem: Exception) -> JSONResponse:
    return _problem(500, "Something failed on our side; the app's log has it.", "InternalError")
