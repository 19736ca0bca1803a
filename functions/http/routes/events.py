"""/api/events: every move of anything from one state to the next, as CloudEvents."""

from __future__ import annotations

from fastapi import APIRouter, Request

from functions.http.dependencies.parameters import Filters
from functions.http.dependencies.request_context import Wired
from functions.http.views import pagination
from functions.http.views.event_schemas import CloudEvent
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.shape import page_of

routes = APIRouter(tags=["events"])


@routes.get("/api/events", response_model=page_of(CloudEvent))
def list_events(request: Request, services: Wired, filters: Filters) -> JsonAnswer:
    """The newest events first: one for every move of anything from one state to the next."""
    return JsonAnswer(pagination.events(filters, request, services))
