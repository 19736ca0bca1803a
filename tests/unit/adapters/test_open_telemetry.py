"""Spans and metrics really arrive: at an OTLP receiver, on stderr, and in Azure Monitor's envelopes, over real HTTP."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from stub_server import Answer, Request, stub_server
from unit.adapters.exporting_flow import ROOT, lived


@dataclass
class Receiver:
    """Takes whatever is sent, and keeps it."""

    url: str = ""
    status: int = 200
    says: Callable[[bytes], bytes] = lambda _: b""
    got: list[tuple[str, bytes]] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        packed = request.headers.get("Content-Encoding") == "gzip"
        body = gzip.decompress(request.body) if packed else request.body
        self.got.append((request.path, body))
        return Answer(self.status, self.says(body), {"Content-Type": "application/json"})

    def bodies(self, path: str) -> list[bytes]:
        return [body for at, body in self.got if at == path]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with stub_server(made.answer) as made.url:
        yield made


def test_a_flow_arrives_at_an_otlp_receiver(receiver: Receiver) -> None:
    ids, done = lived("otlp", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    assert done.returncode == 0, done.stderr
    spans = [
        span
        for body in receiver.bodies("/v1/traces")
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    of_upload = {span.name: span for span in spans if span.trace_id.hex() == ids[0]}
    assert of_upload.keys() >= {"UploadArrived", "admit_upload", "start_run", "release_model", "seal_batch"}
    root, first = of_upload["UploadArrived"], of_upload["admit_upload"]
    assert root.parent_span_id == b""
    assert first.parent_span_id == root.span_id
    assert [link.trace_id.hex() for link in of_upload["seal_batch"].links] == [ids[1]]
    assert first.end_time_unix_nano > first.start_time_unix_nano
    points = _points(receiver)
    assert points["campanha.rows", "bank", "admitted"] == 30
    assert points["campanha.batch.rows", "scored"] == 12
    assert points["campanha.step.duration", "admit_upload", "done"] == 1


def _points(receiver: Receiver) -> dict[tuple[str, ...], float]:
    """Sums, and counts of histograms, by metric and attributes."""
    found: dict[tuple[str, ...], float] = {}
    for body in receiver.bodies("/v1/metrics"):
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for metric in [metric for scope in resource.scope_metrics for metric in scope.metrics]:
                for point in [*metric.sum.data_points, *metric.histogram.data_points]:
                    values = {one.key: one.value.string_value for one in point.attributes}
                    is_sum = metric.HasField("sum")
                    key = (metric.name, *(values[name] for name in sorted(values)))
                    found[key] = point.as_double or point.as_int if is_sum else point.count
    return {
        (name, *reversed(rest)) if "step" in name else (name, *rest): n for (name, *rest), n in found.items()
    }


def test_a_flow_is_shown_on_stderr_a_line_each() -> None:
    ids, done = lived("console")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    spans = {line["name"] for line in lines if line.get("context", {}).get("trace_id") == f"0x{ids[0]}"}
    assert spans >= {"UploadArrived", "admit_upload", "release_model", "seal_batch"}


def test_a_flow_arrives_in_application_insights(receiver: Receiver) -> None:
    """As dependencies, beside the host's requests; nothing else is sent, and nowhere else."""
    receiver.says = _taken
    connection = f"InstrumentationKey=00000000-0000-0000-0000-00000000bbbb;IngestionEndpoint={receiver.url}/"
    ids, done = lived(
        "azure-monitor", APPLICATIONINSIGHTS_CONNECTION_STRING=connection, WEBSITE_SITE_NAME="func-work"
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = [each for _, body in receiver.got for each in _envelopes(body)]
    kinds = {each["data"]["baseType"] for each in told}
    assert kinds == {"RemoteDependencyData", "MetricData"}
    ours = [each for each in told if each["tags"].get("ai.operation.id") == ids[0]]
    names = {each["data"]["baseData"]["name"] for each in ours}
    assert names >= {"UploadArrived", "admit_upload", "release_model", "seal_batch"}
    assert {each["tags"]["ai.cloud.role"] for each in told} == {"func-work"}
    assert {path for path, _ in receiver.got} == {"/v2.1/track"}
    metrics = {
        metric["name"]
        for each in told
        if each["data"]["baseType"] == "MetricData"
        for metric in each["data"]["baseData"]["metrics"]
    }
    assert "campanha.rows" in metrics
    assert {name.partition(".")[0] for name in metrics} == {"campanha", "_OTELRESOURCE_"}


def _taken(body: bytes) -> bytes:
    count = len(_envelopes(body))
    return json.dumps({"itemsReceived": count, "itemsAccepted": count, "errors": []}).encode()


def _envelopes(body: bytes) -> list[Any]:
    text = body.decode()
    return (
        list(json.loads(text)) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    )


@pytest.mark.parametrize("connection", ["", "nonsense", "InstrumentationKey=no-guid"])
def test_a_missing_or_broken_connection_string_is_told(connection: str) -> None:
    variables = {"APPLICATIONINSIGHTS_CONNECTION_STRING": connection} if connection else {}
    _, done = lived("azure-monitor", **variables)
    assert done.returncode == 1
    assert "these app settings need mending" in done.stderr
    assert "APPLICATIONINSIGHTS_CONNECTION_STRING" in done.stderr


@pytest.mark.parametrize("status", [400, 500])
def test_a_receiver_that_takes_nothing_stops_no_work(receiver: Receiver, status: int) -> None:
    receiver.status = status
    ids, done = lived("otlp", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, OTEL_EXPORTER_OTLP_TIMEOUT="1")
    assert done.returncode == 0, done.stderr
    assert len(ids) == 3
    assert receiver.got


def test_all_or_none_of_a_trace_is_kept(receiver: Receiver) -> None:
    """Which spans are exported is OpenTelemetry's own choice, by the trace's id; metrics are whole."""
    keep_none = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}
    lived("otlp", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, **keep_none)
    assert receiver.bodies("/v1/traces") == []
    assert _points(receiver)["campanha.rows", "bank", "admitted"] == 30


@pytest.mark.parametrize("to", ["console", "azure-monitor"])
def test_other_librarys_spans_are_not_sent(receiver: Receiver, to: str) -> None:
    """`azure-ai-ml` makes spans of its own wherever the process has a provider."""
    connection = f"InstrumentationKey=00000000-0000-0000-0000-00000000bbbb;IngestionEndpoint={receiver.url}/"
    said, done = lived(to, APPLICATIONINSIGHTS_CONNECTION_STRING=connection)
    assert said[2:] == ["ProxyTracerProvider"], done.stderr


THREADS = """
import sys, threading
sys.path[:0] = [{root!r}]
from concurrent.futures import ThreadPoolExecutor
from shared import telemetry, wiring
from shared.adapters import open_telemetry
from shared.domain.trace import Trace
from shared.telemetry.spans import Active
from types import SimpleNamespace

together, problems, made, exporter = threading.Barrier(8), [], [], open_telemetry.exporter
telemetry.log.addFilter(problems.append)
open_telemetry.exporter = lambda to: made.append(to) or exporter(to)

def first(_):
    together.wait()
    wiring._export_telemetry(SimpleNamespace(telemetry="otlp"))
    for _ in range(200):
        with telemetry.span(Active("admit_upload", Trace.begun(), "")):
            pass

with ThreadPoolExecutor(8) as pool:
    list(pool.map(first, range(8)))
wiring._exporter("otlp").close()
print(problems, made)
"""


def test_messages_that_come_first_together_make_one_exporter(receiver: Receiver) -> None:
    """Each span is in the trace that it was made for, whichever thread was first."""
    done = subprocess.run(
        [sys.executable, "-c", THREADS.format(root=str(ROOT))],
        env=os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "[] ['otlp']"), done.stderr
    traces = [
        span.trace_id
        for body in receiver.bodies("/v1/traces")
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert len(set(traces)) == len(traces) == 1600
