"""/api/alerts: what a person is told of, from when it was raised until it is over; /api/alert-channels: a test message."""

from __future__ import annotations

from fastapi import APIRouter, Request

from functions.http.dependencies.actions import Action, Reason, Requested, reason_of
from functions.http.dependencies.parameters import AlertId, Filters
from functions.http.dependencies.request_context import Wired
from functions.http.responses import accepted, problems
from functions.http.views import pagination
from functions.http.views.json_answer import JsonAnswer
from functions.http.views.one_record import one
from functions.http.views.record_schemas import record
from functions.http.views.shape import page_of
from shared.domain import facts as f

routes = APIRouter(tags=["alerts"])


@routes.get("/api/alerts", response_model=page_of(record("alert")))
def list_alerts(request: Request, services: Wired, filters: Filters) -> JsonAnswer:
    """The newest alerts first: what is the matter (`state=raised`), and what was."""
    return JsonAnswer(pagination.page("alert", filters, request, services))


@routes.get("/api/alerts/{id}", response_model=record("alert"), responses=problems(404))
def get_alert(id: AlertId, services: Wired) -> JsonAnswer:
    """One alert: what is the matter, since when, and what mends it."""
    return one("alert", id, services)


@routes.post("/api/alert-channels/test", status_code=202, responses=accepted())
def try_channels(requested: Requested, body: Reason = None) -> JsonAnswer:
    """Sends a test message through every alert channel; the alert that it makes says what came of it in each."""

    def begin(operation: str) -> Action:
        test = f.AlertTestRequested(operation=operation, by=requested.caller.name)
        return Action(says="test the alert channels", facts=(test,), target=("alert", test.alert))

    return requested.once(begin, reason=reason_of(body))
