"""Export of spans and metrics by OpenTelemetry's SDK, to where the setting TELEMETRY says.

The ids are ours: they are made, and carried, whether or not anything is exported. The SDK is told of a span when it is
over, so none is open for long, and none is lost to a thread or a queue in between.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.metrics import Counter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    ConsoleMetricExporter,
    MetricExporter,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from shared.domain.trace import Trace
from shared.errors import ConfigurationError
from shared.telemetry.metrics import METRICS, Measurement, Metric
from shared.telemetry.spans import Span

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, Meter

NAME = "campanha"
CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"
MEND = f"these app settings need mending:\n  {CONNECTION}:"

SILENT = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
)
"""What keeps Microsoft's exporter from telling Microsoft of itself, and from asking it for settings. It reads them from the
environment and nowhere else; who sets one has it as set."""


class Exporter:
    """A sink that hands all to OpenTelemetry's SDK, which exports in a thread of its own."""

    def __init__(self, spans: SpanExporter, metrics: MetricExporter) -> None:
        self._ids = _Ids()
        self._tracers = TracerProvider(resource=_resource(), id_generator=self._ids)
        self._tracers.add_span_processor(BatchSpanProcessor(spans))
        self._meters = MeterProvider([PeriodicExportingMetricReader(metrics)], resource=_resource())
        self._tracer = self._tracers.get_tracer(NAME)
        meter = self._meters.get_meter(NAME)
        self._instruments = {metric.name: _instrument(meter, metric) for metric in METRICS}

    def take(self, span: Span) -> None:
        above = _context(Trace(span.place.trace_id, span.parent)) if span.parent else Context()
        with self._ids.given(span.place):
            made = self._tracer.start_span(
                span.name,
                context=above,
                attributes=dict(span.attributes),
                links=[Link(_placed(link)) for link in span.links],
                start_time=span.begun,
            )
        if span.problem:
            made.set_attribute("error.type", span.problem)
            made.set_status(Status(StatusCode.ERROR, span.problem))
        made.end(span.ended)

    def measure(self, measurement: Measurement) -> None:
        instrument, attributes = self._instruments[measurement.metric.name], dict(measurement.attributes)
        if isinstance(instrument, Counter):
            instrument.add(measurement.value, attributes)
        else:
            instrument.record(measurement.value, attributes)

    def close(self) -> None:
        """Exports what waits, and nothing more from then on."""
        self._tracers.shutdown()
        self._meters.shutdown()


def exporter(to: str) -> Exporter:
    """to: as the setting TELEMETRY has it, but for `off`"""
    return _EXPORTERS[to]()


def _console() -> Exporter:
    """On stderr, a line each; metrics once a minute."""
    return Exporter(
        ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + "\n"),
        ConsoleMetricExporter(out=sys.stderr, formatter=lambda metrics: metrics.to_json(indent=None) + "\n"),
    )


def _otlp() -> Exporter:
    """By HTTP to where OpenTelemetry's own variables say: OTEL_EXPORTER_OTLP_ENDPOINT and those beside it."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return Exporter(OTLPSpanExporter(), OTLPMetricExporter())


def _azure_monitor() -> Exporter:
    """By Microsoft's exporter to the Application Insights of APPLICATIONINSIGHTS_CONNECTION_STRING, signing in as
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING says.

    Not by `configure_azure_monitor`, which makes its providers those of the whole process: `azure-ai-ml` then sends spans
    of its own through them. raises: ConfigurationError without a connection string, or with a broken one
    """
    connection = os.environ.get(CONNECTION)
    if not connection:
        raise ConfigurationError(f"{MEND} TELEMETRY is azure-monitor: set it too, or TELEMETRY to off")
    for name in SILENT:
        os.environ.setdefault(name, "true")
    logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)

    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter

    given = {"connection_string": connection, "disable_offline_storage": True}
    of_process = TracerProvider(resource=_resource())  # asked for its resource and nothing else
    try:
        spans = AzureMonitorTraceExporter(**given, tracer_provider=of_process)
        return Exporter(spans, AzureMonitorMetricExporter(**given))
    except ValueError as fault:
        raise ConfigurationError(f"{MEND} it is no connection string of Application Insights") from fault


_EXPORTERS: Mapping[str, Callable[[], Exporter]] = {
    "console": _console,
    "otlp": _otlp,
    "azure-monitor": _azure_monitor,
}


def _resource() -> Resource:
    """Which of the two apps it is: in Azure by its name."""
    return Resource.create({"service.name": os.environ.get("WEBSITE_SITE_NAME", NAME)})


def _instrument(meter: Meter, metric: Metric) -> Counter | Histogram:
    if metric.instrument == "counter":
        return meter.create_counter(metric.name, metric.unit, metric.sentence)
    return meter.create_histogram(metric.name, metric.unit, metric.sentence)


def _placed(place: Trace) -> SpanContext:
    sampled = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(place.trace_id, 16), int(place.span_id, 16), is_remote=True, trace_flags=sampled)


def _context(place: Trace) -> Context:
    return set_span_in_context(NonRecordingSpan(_placed(place)), Context())


class _Ids(IdGenerator):  # type: ignore[misc]  # mypy reads no namespace packages
    """Gives a span the ids that it has."""

    def __init__(self) -> None:
        self._here = threading.local()

    @contextmanager
    def given(self, place: Trace) -> Iterator[None]:
        """Spans that this thread makes in the body of the `with` are there."""
        self._here.place = place
        yield

    def generate_trace_id(self) -> int:
        return int(self._here.place.trace_id, 16)

    def generate_span_id(self) -> int:
        return int(self._here.place.span_id, 16)
