"""/api/audit: the audit trail of operators' actions, as a hash chain; for admins."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from functions.http.dependencies.parameters import PageSize
from functions.http.dependencies.request_context import Wired
from functions.http.views import schemas
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.shape import page_of

routes = APIRouter(tags=["audit"])


@routes.get("/api/audit", response_model=page_of(schemas.AuditEntry))
def list_audit_entries(
    request: Request,
    services: Wired,
    maxpagesize: PageSize = 50,
    after: Annotated[int | None, Query(ge=0, le=10**12, description="From the last page's nextLink.")] = None,
) -> JsonAnswer:
    """Who asked for what, the newest first. Each entry carries the hash of the one before it: a changed or missing
    one shows."""
    entries = services.ledger.audit.newest(maxpagesize, before=after)
    page: dict[str, Any] = {"value": [{"sequence": entry.number, **entry.value} for entry in entries]}
    if entries and entries[-1].number > 0:
        page["nextLink"] = str(request.url.include_query_params(after=entries[-1].number))
    return JsonAnswer(page)
