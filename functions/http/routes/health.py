"""/api/health: liveness without a credential; with one, readiness: whether ledger and storage answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response

from functions.http.dependencies.request_context import Wired
from functions.http.middleware.gate import LIVE
from functions.http.views import schemas
from functions.http.views.json_answer import HealthAnswer
from shared.domain.names import INCOMING

routes = APIRouter(tags=["health"])


@routes.get(LIVE, include_in_schema=False)
def alive() -> Response:
    """That the process answers, and nothing else."""
    return Response('{"status":"pass"}', media_type=HealthAnswer.media_type)


@routes.get(
    "/api/health",
    response_model=schemas.HealthReport,
    response_class=HealthAnswer,
    responses={503: {"model": schemas.HealthReport}},
)
def get_health(services: Wired) -> HealthAnswer:
    """Whether Campanha could work now: the ledger and the storage answer."""
    checks: dict[str, Callable[[], object]] = {
        "ledger:read": lambda: services.ledger.token.read(facts=False),
        "storage:read": lambda: services.files.stat(INCOMING, "-"),
    }
    found = {name: [{"status": _probe(check)}] for name, check in checks.items()}
    passing = all(check[0]["status"] == "pass" for check in found.values())
    body: dict[str, Any] = {"status": "pass" if passing else "fail", "checks": found}
    return HealthAnswer(body, 200 if passing else 503)


def _probe(check: Callable[[], object]) -> str:
    try:
        check()
    except Exception:  # noqa: BLE001  (whatever it is, the answer is "fail", and nothing of it goes outside)
        return "fail"
    return "pass"
