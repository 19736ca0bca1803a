"""/api/operations: how far an action is that was answered 202 (the long-running operation pattern)."""

from __future__ import annotations

from fastapi import APIRouter

from functions.http.dependencies.parameters import OperationId
from functions.http.dependencies.request_context import Wired
from functions.http.problems import Problem
from functions.http.responses import problems
from functions.http.views import operations, schemas
from functions.http.views.json_answer import JsonAnswer

routes = APIRouter(tags=["operations"])


@routes.get("/api/operations/{id}", response_model=schemas.Operation, responses=problems(404))
def get_operation(id: OperationId, services: Wired) -> JsonAnswer:
    """How far an operation is; Retry-After says when to look again while it is not over."""
    record = services.ledger.find("operation", id)
    if record is None:
        raise Problem(404, "There is no such operation.")
    body, wait = operations.progress_body(record, services)
    return JsonAnswer(body, headers={"Retry-After": str(wait)} if wait is not None else None)
