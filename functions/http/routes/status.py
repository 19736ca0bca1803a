"""/api/status: the whole at a glance."""

from __future__ import annotations

from fastapi import APIRouter

from functions.http.dependencies.request_context import Wired
from functions.http.views.records import Json
from functions.http.views.status import summary

routes = APIRouter()


@routes.get("/api/status")
def status(services: Wired) -> Json:
    """The whole at a glance: what serves, what runs, what came last, and what needs a person."""
    return summary(services)
