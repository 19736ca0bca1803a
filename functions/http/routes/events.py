"""/api/events: every move of anything from one state to the next, as CloudEvents."""

from __future__ import annotations

from fastapi import APIRouter, Request

from functions.http.dependencies.parameters import Filters
from functions.http.dependencies.request_context import Wired
from functions.http.views import pagination
from functions.http.views.records import Json

routes = APIRouter()


@routes.get("/api/events")
def events(request: Request, services: Wired, filters: Filters) -> Json:
    """The newest events first: one for every move of anything from one state to the next."""
    return pagination.events(filters, request, services)
