"""Azure Monitor's metrics of an online endpoint: requests and their latency, by deployment and status code.

source: Azure Monitor REST API, Metrics - List, 2023-10-01; supported metrics for
Microsoft.MachineLearningServices/workspaces/onlineEndpoints
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from localazure.workspace.handlers.online import find_endpoint
from localazure.workspace.hosting.request_counts import Asked
from localazure.workspace.settings import LOCATION
from localazure.workspace.wire.calls import Call, Json, Refusal, Reply
from localazure.workspace.workspace import Workspace

NAMESPACE = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
REQUESTS = "RequestsPerMinute"
_LATENCIES = {
    "RequestLatency_P50": 50,
    "RequestLatency_P90": 90,
    "RequestLatency_P95": 95,
    "RequestLatency_P99": 99,
}
_DIMENSIONS = {REQUESTS: ("deployment", "statusCode"), **dict.fromkeys(_LATENCIES, ("deployment",))}
_CONDITION = re.compile(r"(\w+) eq '([^']*)'", re.IGNORECASE)
_MOST_SERIES = 10
"""Where `top` says nothing else."""
Value = Callable[[Asked], float]


def list_metrics(workspace: Workspace, call: Call) -> Reply:
    """One point a minute; only what is split by the filter's dimensions, each of them or one value of it."""
    endpoint = find_endpoint(workspace, call.names["endpoint"])["name"]
    names = [name.strip() for name in call.query.get("metricnames", "").split(",") if name.strip()]
    if not names or (unknown := next((name for name in names if name not in _DIMENSIONS), "")):
        raise Refusal(
            400,
            "BadRequest",
            f"Failed to find metric configuration: {unknown if names else 'no metric named'!r}",
        )
    if call.query.get("interval", "PT1M").upper() != "PT1M":
        raise Refusal(501, "NotImplemented", "only the interval PT1M is emulated")
    if (asked := call.query.get("aggregation", "Average").lower()) != "average":
        raise Refusal(501, "NotImplemented", f"the aggregation {asked!r} is not emulated; Average is")
    first, last = _span(call.query.get("timespan", ""))
    minutes = workspace.hosting.requests.of(
        endpoint, int(first.timestamp() // 60), int(last.timestamp() // 60)
    )
    wanted = dict(_CONDITION.findall(call.query.get("$filter", "")))
    most = int(call.query.get("top") or _MOST_SERIES)
    values = [_metric(workspace, endpoint, name, minutes, wanted, most) for name in names]
    span = f"{_moment(first)}/{_moment(last)}"
    body = {"cost": 0, "timespan": span, "interval": "PT1M", "value": values}
    return Reply(body={**body, "namespace": NAMESPACE, "resourceregion": LOCATION})


def _metric(  # noqa: PLR0917  (what the query says)
    workspace: Workspace, endpoint: str, name: str, minutes: list[Asked], wanted: dict[str, str], most: int
) -> Json:
    path = f"{workspace.settings.resource_id}/onlineEndpoints/{endpoint}"
    known = _DIMENSIONS[name]
    if unknown := next((one for one in wanted if one not in known), ""):
        raise Refusal(400, "BadRequest", f"Metric: {name} does not support requested dimension: {unknown}")
    series = (
        _by_status(minutes, wanted) if name == REQUESTS else _by_deployment(minutes, wanted, _LATENCIES[name])
    )
    return {
        "id": f"{path}/providers/Microsoft.Insights/metrics/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "unit": "Count" if name == REQUESTS else "Milliseconds",
        "timeseries": series[:most],
        "errorCode": "Success",
    }


def _by_status(minutes: Iterable[Asked], wanted: dict[str, str]) -> list[Json]:
    found: dict[tuple[str, int], list[tuple[int, float]]] = {}
    for one in minutes:
        for status, count in one.statuses.items():
            found.setdefault((one.deployment, status), []).append((one.minute, float(count)))
    return [
        _series({"deployment": deployment, "statusCode": str(status)}, points)
        for (deployment, status), points in sorted(found.items())
        if _fits(wanted, {"deployment": deployment, "statusCode": str(status)})
    ]


def _by_deployment(minutes: Iterable[Asked], wanted: dict[str, str], of_100: int) -> list[Json]:
    found: dict[str, list[tuple[int, float]]] = {}
    for one in minutes:
        found.setdefault(one.deployment, []).append((one.minute, one.percentile(of_100)))
    return [
        _series({"deployment": deployment}, points)
        for deployment, points in sorted(found.items())
        if _fits(wanted, {"deployment": deployment})
    ]


def _fits(wanted: dict[str, str], of: dict[str, str]) -> bool:
    return all(value in ("*", of[name]) for name, value in wanted.items())


def _series(dimensions: dict[str, str], points: Iterable[tuple[int, float]]) -> Json:
    return {
        "metadatavalues": [
            {"name": {"value": name.lower(), "localizedValue": name.lower()}, "value": value}
            for name, value in dimensions.items()
        ],
        "data": [
            {"timeStamp": _moment(datetime.fromtimestamp(minute * 60, UTC)), "average": value}
            for minute, value in points
        ],
    }


def _span(given: str) -> tuple[datetime, datetime]:
    first, _, last = given.partition("/")
    try:
        return datetime.fromisoformat(first), datetime.fromisoformat(last)
    except ValueError as cause:
        raise Refusal(400, "BadRequest", f"the timespan {given!r} is no start/end") from cause


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
