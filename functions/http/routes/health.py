"""/api/health: liveness without a credential; with one, readiness: whether ledger and storage answer."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response

from functions.http.dependencies.request_context import Wired
from functions.http.middleware.gate import LIVE
from functions.http.views import schemas
from functions.http.views.json_answer import HealthAnswer
from shared.domain.names import INCOMING
from shared.procedures import clock_health
from shared.procedures.alert_cursor import ALERT_CURSOR, notifier_status
from shared.procedures.clock_health import HEARTBEAT, SWEEP
from shared.procedures.ignored_runs import ignored_runs
from shared.services import Services

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
    """Whether Campanha could work now: the ledger and the storage answer; whether a clock keeps failing, the
    reconciliation has not run, or people cannot be told of alerts (`warn`); and which runs of the workspace are
    ignored, because this ledger has not started them."""
    checks: dict[str, Callable[[], object]] = {
        "ledger:read": lambda: services.ledger.token.read(facts=False),
        "storage:read": lambda: services.files.stat(INCOMING, "-"),
    }
    found: dict[str, list[dict[str, str]]] = {
        name: [{"status": _probe(check)}] for name, check in checks.items()
    }
    able = all(check[0]["status"] == "pass" for check in found.values())
    late = (
        {f"{clock}:clock": reason for clock, reason in clock_health.unwell(services).items()} if able else {}
    )
    late |= _who_tells(services) if able else {}
    found |= {name: [{"status": "warn", "output": reason}] for name, reason in late.items()}
    ignored = ignored_runs(services) if able else []
    if ignored:
        said = f"not started by this ledger, and ignored; the newest first: {', '.join(ignored)}"
        found["runs:ignored"] = [{"status": "pass", "output": said}]
    status = ("warn" if late else "pass") if able else "fail"
    report = {"status": status, "releaseId": services.release, "checks": found}
    return HealthAnswer(report, 200 if able else 503)


def _who_tells(services: Services) -> dict[str, str]:
    """What is wrong with whoever would say that something is wrong."""
    present = services.ledger.present()
    said, stopped = {}, clock_health.stopped_since(present.document(HEARTBEAT, SWEEP), services.now())
    if stopped:
        said["alerts:sweep"] = (
            f"the reconciliation last ended well at {stopped}: what is lost or late is not noticed"
        )
    channels = present.each(ALERT_CURSOR)
    failing = [one.problem for _, one in sorted(channels.items()) if one.failing]
    if failing:
        whom = (
            "nobody can be told of alerts"
            if notifier_status(channels) == "fail"
            else "an alert channel fails"
        )
        said["alerts:notifier"] = f"{whom}: {'; '.join(failing)}"
    return said


def _probe(check: Callable[[], object]) -> str:
    try:
        check()
    except Exception:  # noqa: BLE001  (whatever it is, the answer is "fail", and nothing of it goes outside)
        return "fail"
    return "pass"
