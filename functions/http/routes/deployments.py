"""/api/deployments: what stands behind the endpoints, with how much of the traffic."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from functions.http.dependencies.parameters import Filters, Name
from functions.http.dependencies.request_context import Wired
from functions.http.views import pagination
from functions.http.views.one_record import one
from functions.http.views.records import Json

routes = APIRouter()


@routes.get("/api/deployments")
def deployments(request: Request, services: Wired, filters: Filters) -> Json:
    """The newest deployments first: what answers, with how much of the traffic, and what stands by."""
    return pagination.page("deployment", filters, request, services)


@routes.get("/api/deployments/{endpoint}/{deployment}")
def deployment(endpoint: Name, deployment: Name, services: Wired, response: Response) -> Json:
    """One deployment: its model, its traffic, its health."""
    return one("deployment", f"{endpoint}/{deployment}", services, response)
