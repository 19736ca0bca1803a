"""HTTP: liveness without a credential; the API and the dashboard with a key, a token or a session.

The host authenticates nothing (ANONYMOUS), since a bearer token alone must also do: a request without a credential is
refused by `functions.http.middleware.gate`, on every route.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

import azure.functions as func

from shared import telemetry
from shared.errors import ConfigurationError

api = func.Blueprint()


@api.route(route="api/health/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def alive(req: func.HttpRequest) -> func.HttpResponse:
    """Says that the process answers, and nothing else. (Named so that it sorts before the catch-all below:
    the host tries routes in the order of the functions' names.)"""
    return func.HttpResponse('{"status":"pass"}', mimetype="application/health+json")


@api.route(route="api/{*path}", auth_level=func.AuthLevel.ANONYMOUS)
async def http_api(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return await _answer(req, context)


@api.route(route="dashboard/{*path}", auth_level=func.AuthLevel.ANONYMOUS)
async def http_dashboard(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return await _answer(req, context)


async def _answer(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    try:
        app = _app()
    except ConfigurationError as fault:
        telemetry.say(telemetry.Action.SETTINGS, str(fault), level=logging.ERROR)
        return _not_configured(req)
    if not _is_readable(req.url):
        return _said(req, 400, "The path is not UTF-8, percent-encoded.")
    answer: func.HttpResponse = await app.handle_async(req, context)
    return answer


def _is_readable(url: str) -> bool:
    """The ASGI adapter fails on others before any route, or the gate, has its say."""
    try:
        unquote(urlsplit(url).path, errors="strict")
    except ValueError:
        return False
    return True


def _not_configured(req: func.HttpRequest) -> func.HttpResponse:
    """Answered without a credential, so it names no setting; the log does."""
    return _said(req, 503, "The app's settings need mending; its log names them.", code="NotConfigured")


def _said(req: func.HttpRequest, status: int, detail: str, **more: Any) -> func.HttpResponse:
    from functions.http.problems import Problem, response

    path = urlsplit(req.url).path if _is_readable(req.url) else ""
    problem = response(Problem(status, detail, **more), instance=path)
    return func.HttpResponse(
        bytes(problem.body),
        status_code=problem.status_code,
        headers=dict(problem.headers),
        mimetype=problem.media_type,
    )


@lru_cache(maxsize=1)
def _app() -> func.AsgiMiddleware:
    """Made at the first request: a worker that only drains queues never loads FastAPI."""
    from functions.http.app import app

    return func.AsgiMiddleware(app())
