"""HTTP: liveness for anybody, and the status API (FastAPI) for whoever has a key."""

from __future__ import annotations

from functools import lru_cache

import azure.functions as func

api = func.Blueprint()


@api.route(route="health/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def alive(req: func.HttpRequest) -> func.HttpResponse:
    """Says that the process answers, and nothing else. (Named so that it sorts before the catch-all below:
    the host tries routes in the order of the functions' names.)"""
    return func.HttpResponse('{"status":"pass"}', mimetype="application/health+json")


@api.route(route="{*path}", auth_level=func.AuthLevel.FUNCTION)
async def http_api(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    answer: func.HttpResponse = await _app().handle_async(req, context)
    return answer


@lru_cache(maxsize=1)
def _app() -> func.AsgiMiddleware:
    """Made at the first request: a worker that only drains queues never loads FastAPI."""
    from functions.status_api import app

    return func.AsgiMiddleware(app)
