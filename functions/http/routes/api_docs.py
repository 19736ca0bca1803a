"""/api/openapi.json and /api/docs: the description of the API, for programs and, with Swagger UI, for people."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from functions.http.openapi import describe
from functions.http.routes.dashboard import web

routes = APIRouter(include_in_schema=False)


@routes.get("/api/openapi.json")
def openapi(request: Request) -> Response:
    """The description; made once, since the routes do not change."""
    state = request.app.state
    if not hasattr(state, "described"):
        state.described = describe(request.app)
    described: dict[str, Any] = state.described
    return JSONResponse(described)


@routes.get("/api/docs")
def docs(request: Request) -> Response:
    """The page that shows it."""
    return web.answer("docs/", request)
