"""/api/runs: runs of the published pipelines, step by step."""

from __future__ import annotations

from fastapi import APIRouter, Request

from functions.http.dependencies.parameters import Filters, RunName
from functions.http.dependencies.request_context import Wired
from functions.http.responses import problems
from functions.http.views import pagination
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.one_record import one
from functions.http.views.record_schemas import record
from functions.http.views.shape import page_of

routes = APIRouter(tags=["runs"])


@routes.get("/api/runs", response_model=page_of(record("run")))
def list_runs(request: Request, services: Wired, filters: Filters) -> JsonAnswer:
    """The newest runs first."""
    return JsonAnswer(pagination.page("run", filters, request, services))


@routes.get("/api/runs/{run}", response_model=record("run"), responses=problems(404))
def get_run(run: RunName, services: Wired) -> JsonAnswer:
    """One run with its steps."""
    return one("run", run, services)
