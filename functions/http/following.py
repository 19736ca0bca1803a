"""What became of what was asked for, and who asked for what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from functions.http import operations
from functions.http.depends import Wired
from functions.http.problems import Problem
from functions.http.reads import Name

routes = APIRouter()


@routes.get("/api/operations/{id}")
def operation(id: Name, services: Wired, response: Response) -> dict[str, Any]:
    """How far an operation is; Retry-After says when to look again while it is not over."""
    record = services.ledger.find("operation", id)
    if record is None:
        raise Problem(404, "There is no such operation.")
    body, wait = operations.told(record, services)
    if wait is not None:
        response.headers["Retry-After"] = str(wait)
    return body


@routes.get("/api/audit")
def audit(
    request: Request,
    services: Wired,
    maxpagesize: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[int | None, Query(ge=0, le=10**12)] = None,
) -> dict[str, Any]:
    """Who asked for what, the newest first. Each entry carries the hash of the one before it: a changed or missing
    one shows."""
    entries = services.ledger.audit.newest(maxpagesize, before=after)
    page: dict[str, Any] = {"value": [{"number": entry.number, **entry.value} for entry in entries]}
    if entries and entries[-1].number > 0:
        page["nextLink"] = str(request.url.include_query_params(after=entries[-1].number))
    return page
