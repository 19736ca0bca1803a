"""The HTTP API, put together: the layers every request passes, and the routes behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from functions.http.auth.credentials import Credentials, from_settings
from functions.http.middleware.gate import Gate
from functions.http.middleware.long_poll import Watch
from functions.http.middleware.polling import Polled
from functions.http.middleware.rate_limit import Limiter
from functions.http.middleware.tracing import Traced
from functions.http.problems import Problem, answer, rules_broken
from functions.http.routes import (
    api_docs,
    audit,
    batches,
    dashboard,
    datasets,
    deployments,
    endpoints,
    events,
    failures,
    health,
    lineage,
    models,
    operations,
    quarantine,
    runs,
    session,
    status,
    uploads,
    work,
)
from shared import wiring
from shared.ports import ModelApi
from shared.services import Services
from shared.settings import Settings, read_settings

RESOURCES = (
    status, health, uploads, quarantine, datasets, runs, models, endpoints, deployments, batches, failures, lineage,
    events, operations, audit, work, api_docs, dashboard,
)  # fmt: skip


def app() -> FastAPI:
    """The API as the settings have it; raises: ConfigurationError."""
    settings = read_settings()
    return assemble(settings, from_settings(settings), wiring.services, wiring.model_api)


def assemble(
    settings: Settings,
    credentials: Credentials,
    services: Callable[[], Services],
    model_api: Callable[[], ModelApi],
) -> FastAPI:
    """The API behind its gate. Layers added later lie further out."""
    made = FastAPI(
        title="Campanha",
        version="2026-11-24",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    made.state.services = services
    made.state.model_api = model_api
    for resource in RESOURCES:
        made.include_router(resource.routes)
    made.include_router(session.router(credentials))
    made.add_exception_handler(Problem, _problem)
    made.add_exception_handler(HTTPException, _http_problem)
    made.add_exception_handler(RequestValidationError, _invalid)
    made.add_middleware(Polled, ledger=lambda: services().ledger, watch=Watch(lambda: services().ledger))
    limiter = Limiter(settings.rate_limit_per_minute)
    made.add_middleware(
        Gate,
        credentials=credentials,
        limiter=limiter,
        largest_file=settings.upload_most_mb * 1024 * 1024,
        open_pages=dashboard.sign_in_pages,
    )
    made.add_middleware(Traced, respond=_respond)
    return made


def _respond(problem: Problem, request: Request) -> Response:
    return dashboard.sign_in_instead(problem, request) or answer(problem, request)


async def _problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)  # noqa: S101  (that is what it is registered for)
    return _respond(problem, request)


async def _http_problem(request: Request, problem: Exception) -> Response:
    """What the routing itself refuses: no such address, or not with this method."""
    assert isinstance(problem, HTTPException)  # noqa: S101
    details = {
        404: "There is nothing at this address; /api/openapi.json lists what there is.",
        405: "This address does not take this method; the Allow header names those it takes.",
    }
    detail = details.get(problem.status_code, "The request cannot be answered as it is.")
    headers = {"Allow": _allowed(request)} if problem.status_code == 405 else problem.headers
    return answer(Problem(problem.status_code, detail, headers=headers), request)


def _allowed(request: Request) -> str:
    """The methods the address takes, of whichever route they are (Starlette names those of the first only)."""
    taken: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        pattern, _, _ = compile_path(str(route.path))
        if pattern.match(request.url.path):
            taken |= set(route.methods or ())
    return ", ".join(sorted(taken))


async def _invalid(request: Request, problem: Exception) -> Response:
    """A parameter (400) or a body (422) that breaks the rules; what was sent is not repeated."""
    assert isinstance(problem, RequestValidationError)  # noqa: S101
    errors = [_fault(fault) for fault in problem.errors()]
    in_body = any(fault["where"].startswith("body") for fault in errors)
    return answer(rules_broken(*errors, status=422 if in_body else 400), request)


def _fault(fault: Mapping[str, Any]) -> dict[str, str]:
    return {"where": ".".join(map(str, fault["loc"])), "rule": str(fault["msg"])}
