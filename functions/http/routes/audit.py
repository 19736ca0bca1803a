"""/api/audit: the audit trail of operators' actions, as a hash chain; for admins."""

from __future__ import annotations

from fastapi import APIRouter, Request

from functions.http.dependencies.parameters import Paged
from functions.http.dependencies.request_context import Wired
from functions.http.views import pagination, schemas
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.shape import page_of

routes = APIRouter(tags=["audit"])


@routes.get("/api/audit", response_model=page_of(schemas.AuditEntry))
def list_audit_entries(request: Request, services: Wired, wanted: Paged) -> JsonAnswer:
    """Who asked for what, the newest first. Each entry carries the hash of the one before it: a changed or missing
    one shows."""
    return JsonAnswer(pagination.audit(wanted, request, services))
