"""/api/runs: runs of the published pipelines, step by step."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from functions.http.dependencies.parameters import Filters, Name
from functions.http.dependencies.request_context import Wired
from functions.http.views import pagination
from functions.http.views.one_record import one
from functions.http.views.records import Json

routes = APIRouter()


@routes.get("/api/runs")
def runs(request: Request, services: Wired, filters: Filters) -> Json:
    """The newest runs first."""
    return pagination.page("run", filters, request, services)


@routes.get("/api/runs/{run}")
def run(run: Name, services: Wired, response: Response) -> Json:
    """One run with its steps."""
    return one("run", run, services, response)
