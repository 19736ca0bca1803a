"""The metrics of an endpoint's requests, against real HTTP in the form of Azure Monitor's answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.credentials import AccessToken
from stub_server import Answer, Request, stub_server

from shared.adapters.endpoint_metrics import request_metrics
from shared.errors import Transient
from shared.ports import RequestMetrics

ENDPOINT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/onlineEndpoints/e"
SINCE, UNTIL = datetime(2026, 11, 24, 8, 0, tzinfo=UTC), datetime(2026, 11, 24, 8, 10, tzinfo=UTC)


class Credential:
    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == ("https://management.azure.com/.default",)
        return AccessToken("a-token", 0)


@dataclass
class Monitor:
    """Azure Monitor, as far as it is asked."""

    metrics: dict[str, list[Any]] = field(default_factory=dict)
    """By metric its time series."""
    status: int = 200
    body: bytes = b""
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        url = urlsplit(request.path)
        query = parse_qs(url.query)
        self.asked.append((url.path, query))
        assert request.headers["Authorization"] == "Bearer a-token"
        names = query["metricnames"][0].split(",")
        value = [{"name": {"value": name}, "timeseries": self.metrics.get(name, [])} for name in names]
        return Answer(self.status, self.body or json.dumps({"value": value}).encode())


def _series(values: list[float | None], **dimensions: str) -> Any:
    named = [{"name": {"value": name}, "value": value} for name, value in dimensions.items()]
    points = [{"timeStamp": "2026-11-24T08:00:00Z"} | ({} if v is None else {"average": v}) for v in values]
    return {"metadatavalues": named, "data": points}


@pytest.fixture
def monitor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Monitor]:
    made = Monitor()
    with stub_server(made.answer) as address:
        monkeypatch.setenv("AZUREML_DEV_URL_MFE", address)
        yield made


def test_requests_are_added_up_and_faults_of_the_deployments_own_are_told(monitor: Monitor) -> None:
    monitor.metrics = {
        "RequestsPerMinute": [
            _series([10, None, 5], deployment="model-2", statuscode="200"),
            _series([2], deployment="model-2", statuscode="424"),
            _series([1], deployment="model-2", statuscode="503"),
            _series([4], deployment="model-2", statuscode="400"),
            _series([90.0], deployment="model-1", statuscode="200"),
            _series([0.0], deployment="idle", statuscode="200"),
        ],
        "RequestLatency_P50": [_series([8.0, 10.0], deployment="model-2")],
        "RequestLatency_P95": [_series([20.0, None, 30.0], deployment="model-2")],
    }
    assert request_metrics(ENDPOINT, SINCE, UNTIL, Credential()) == {
        "model-2": RequestMetrics(requests=22, errors=3, p50_ms=9.0, p95_ms=25.0),
        "model-1": RequestMetrics(requests=90, errors=0, p50_ms=None, p95_ms=None),
    }


def test_it_is_asked_for_each_deployment_and_status_without_azures_cut_at_ten(monitor: Monitor) -> None:
    assert request_metrics(ENDPOINT, SINCE, UNTIL, Credential()) == {}
    (path, counts), (_, times) = monitor.asked
    assert path == f"{ENDPOINT}/providers/Microsoft.Insights/metrics"
    assert counts["timespan"] == ["2026-11-24T08:00:00Z/2026-11-24T08:10:00Z"]
    assert counts["$filter"] == ["deployment eq '*' and statusCode eq '*'"]
    assert times["$filter"] == ["deployment eq '*'"], "latencies know no status"
    assert int(counts["top"][0]) > 10
    assert counts["api-version"] == ["2023-10-01"]


@pytest.mark.parametrize(
    ("status", "body"), [(403, b"{}"), (200, b"no JSON"), (200, b'{"value": 7}'), (200, b"[]")]
)
def test_what_cannot_be_read_is_for_later(monitor: Monitor, status: int, body: bytes) -> None:
    monitor.status, monitor.body = status, body
    with pytest.raises(Transient):
        request_metrics(ENDPOINT, SINCE, UNTIL, Credential())


def test_nobody_there_is_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZUREML_DEV_URL_MFE", "http://127.0.0.1:9")
    with pytest.raises(Transient):
        request_metrics(ENDPOINT, SINCE, UNTIL, Credential())
