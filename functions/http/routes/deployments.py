"""/api/deployments: what stands behind the endpoints, with how much of the traffic."""

from __future__ import annotations

from fastapi import APIRouter, Request

from functions.http.dependencies.parameters import DeploymentName, EndpointName, Filters
from functions.http.dependencies.request_context import Wired
from functions.http.responses import problems
from functions.http.views import pagination
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.one_record import one
from functions.http.views.record_schemas import record
from functions.http.views.shape import page_of

routes = APIRouter(tags=["deployments"])


@routes.get("/api/deployments", response_model=page_of(record("deployment")))
def list_deployments(request: Request, services: Wired, filters: Filters) -> JsonAnswer:
    """The newest deployments first: what answers, with how much of the traffic, and what stands by."""
    return JsonAnswer(pagination.page("deployment", filters, request, services))


@routes.get(
    "/api/deployments/{endpoint}/{deployment}", response_model=record("deployment"), responses=problems(404)
)
def get_deployment(endpoint: EndpointName, deployment: DeploymentName, services: Wired) -> JsonAnswer:
    """One deployment: its model, its traffic, its health."""
    return one("deployment", f"{endpoint}/{deployment}", services)
