"""HTTP: liveness for anybody; the API and the dashboard for whoever shows a key, a token or a session.

The host lets everything through (ANONYMOUS), since a bearer token alone must also get in: whoever may not is turned
away by `functions.http.gate`, on every route.
"""

from __future__ import annotations

from functools import lru_cache

import azure.functions as func

api = func.Blueprint()


@api.route(route="api/health/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def alive(req: func.HttpRequest) -> func.HttpResponse:
    """Says that the process answers, and nothing else. (Named so that it sorts before the catch-all below:
    the host tries routes in the order of the functions' names.)"""
    return func.HttpResponse('{"status":"pass"}', mimetype="application/health+json")


@api.route(route="api/{*path}", auth_level=func.AuthLevel.ANONYMOUS)
async def http_api(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    answer: func.HttpResponse = await _app().handle_async(req, context)
    return answer


@api.route(route="dashboard/{*path}", auth_level=func.AuthLevel.ANONYMOUS)
async def http_dashboard(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    answer: func.HttpResponse = await _app().handle_async(req, context)
    return answer


@lru_cache(maxsize=1)
def _app() -> func.AsgiMiddleware:
    """Made at the first request: a worker that only drains queues never loads FastAPI."""
    from functions.http.app import app

    return func.AsgiMiddleware(app())
