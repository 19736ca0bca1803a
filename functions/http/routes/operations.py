"""/api/operations: how far an action is that was answered 202 (the long-running operation pattern)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from functions.http.dependencies.parameters import Name
from functions.http.dependencies.request_context import Wired
from functions.http.problems import Problem
from functions.http.views import operations

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
