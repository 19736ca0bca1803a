"""The HTTP API, put together: the layers every request passes, and the routes behind them."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI, Request, Response

from functions.http import api_versions
from functions.http.auth.credentials import Credentials, from_settings
from functions.http.middleware.api_version import Versioned
from functions.http.middleware.exception_handlers import add_exception_handlers
from functions.http.middleware.gate import Gate
from functions.http.middleware.long_poll import Watch
from functions.http.middleware.polling import Polled
from functions.http.middleware.rate_limit import Limiter
from functions.http.middleware.tracing import Traced
from functions.http.problems import Problem, answer
from functions.http.routes import (
    alerts,
    api_docs,
    audit,
    batches,
    config,
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
    outcomes,
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
    status, health, uploads, quarantine, datasets, runs, models, endpoints, deployments, batches, outcomes, alerts,
    failures, lineage, events, operations, audit, work, config, api_docs, dashboard,
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

    def respond(problem: Problem, request: Request) -> Response:
        return dashboard.sign_in_instead(problem, request) or answer(problem, request)

    made = FastAPI(
        title="Campanha",
        version=api_versions.newest().name,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    made.state.services = services
    made.state.model_api = model_api
    made.state.takes_files = settings.http_uploads == "taken"
    for resource in RESOURCES:
        made.include_router(resource.routes)
    made.include_router(session.router(credentials))
    add_exception_handlers(made, respond)
    made.add_middleware(Polled, ledger=lambda: services().ledger, watch=Watch(lambda: services().ledger))
    limiter = Limiter(settings.rate_limit_per_minute)
    made.add_middleware(
        Gate,
        credentials=credentials,
        limiter=limiter,
        trusts_front=settings.trust_forwarded_for,
        largest_file=settings.upload_most_mb * 1024 * 1024,
        public=dashboard.PUBLIC,
    )
    made.add_middleware(Traced, respond=respond)
    made.add_middleware(Versioned)
    return made
