"""/api/status: the whole at a glance."""

from __future__ import annotations

from fastapi import APIRouter

from functions.http.dependencies.request_context import Wired
from functions.http.views import schemas
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.status import summary

routes = APIRouter(tags=["status"])


@routes.get("/api/status", response_model=schemas.SystemStatus)
def get_status(services: Wired) -> JsonAnswer:
    """The whole at a glance: what serves, what runs, what came last, and what needs a person."""
    return JsonAnswer(summary(services))
