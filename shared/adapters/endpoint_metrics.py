"""What Azure Monitor counted of an online endpoint's requests, by deployment.

Metrics come a minute or more after the requests; latencies are percentiles of each minute, of which the mean is told.
source: Azure Monitor REST API, Metrics - List, 2023-10-01; supported metrics for
Microsoft.MachineLearningServices/workspaces/onlineEndpoints (RequestsPerMinute, RequestLatency_P50, RequestLatency_P95)
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from statistics import fmean
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import requests

from shared.adapters.http_client import TooLarge, ask
from shared.errors import Transient
from shared.ports import RequestMetrics

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

RESOURCE_MANAGER = "https://management.azure.com"
API_VERSION = "2023-10-01"
REQUESTS, P50, P95 = "RequestsPerMinute", "RequestLatency_P50", "RequestLatency_P95"
MOST_SERIES = 500
"""Azure cuts at 10 unless it is told."""
MOST_BYTES = 4 << 20
TIMEOUT = (5.0, 20.0)


def request_metrics(
    endpoint_id: str, since: datetime, until: datetime, credential: TokenCredential
) -> dict[str, RequestMetrics]:
    """By deployment that was asked anything. endpoint_id: its resource id; raises: Transient"""
    token = credential.get_token(f"{RESOURCE_MANAGER}/.default").token
    span = "/".join(each.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for each in (since, until))
    by_status = _asked(endpoint_id, [REQUESTS], span, "deployment eq '*' and statusCode eq '*'", token)
    times = _asked(endpoint_id, [P50, P95], span, "deployment eq '*'", token)
    counts: dict[str, list[int]] = {}
    for of, points in _series(by_status, REQUESTS):
        asked = round(sum(points))
        found = counts.setdefault(of.get("deployment", ""), [0, 0])
        found[0] += asked
        found[1] += asked if _is_fault(of.get("statuscode", "")) else 0
    latency = {
        name: {of.get("deployment", ""): points for of, points in _series(times, name)} for name in (P50, P95)
    }
    return {
        name: RequestMetrics(
            requests=asked,
            errors=errors,
            p50_ms=_mean(latency[P50].get(name)),
            p95_ms=_mean(latency[P95].get(name)),
        )
        for name, (asked, errors) in counts.items()
        if asked
    }


def _asked(endpoint_id: str, names: list[str], span: str, where: str, token: str) -> list[dict[str, Any]]:
    query = {
        "api-version": API_VERSION,
        "metricnames": ",".join(names),
        "timespan": span,
        "interval": "PT1M",
        "aggregation": "Average",
        "$filter": where,
        "top": MOST_SERIES,
    }
    base = os.environ.get("AZUREML_DEV_URL_MFE") or RESOURCE_MANAGER
    url = f"{base}{endpoint_id}/providers/Microsoft.Insights/metrics?{urlencode(query)}"
    try:
        reply = ask(
            "GET", url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT, most=MOST_BYTES
        )
        if reply.status != 200:
            raise Transient(f"reading the metrics of an endpoint: Azure Monitor answered {reply.status}")
        found = [dict(metric) for metric in reply.json()["value"]]
    except (requests.RequestException, TooLarge, ValueError, KeyError, TypeError) as cause:
        raise Transient(
            "reading the metrics of an endpoint: Azure Monitor gave no answer to be read"
        ) from cause
    return found


def _series(metrics: Iterable[dict[str, Any]], name: str) -> Iterator[tuple[dict[str, str], list[float]]]:
    """The dimensions of each time series of a metric, and its values, those of minutes without any left out."""
    for metric in metrics:
        if metric["name"]["value"] != name:
            continue
        for series in metric.get("timeseries", ()):
            said = series.get("metadatavalues", ())
            of = {str(one["name"]["value"]).lower(): str(one["value"]) for one in said}
            yield (
                of,
                [point["average"] for point in series.get("data", ()) if point.get("average") is not None],
            )


def _is_fault(status: str) -> bool:
    """Of the deployment's making: 424 stands for whatever its server answered; callers' own mistakes are none."""
    return status == "424" or status.startswith("5")


def _mean(points: list[float] | None) -> float | None:
    return round(fmean(points), 2) if points else None
