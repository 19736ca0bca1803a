"""Export of spans and metrics by OpenTelemetry's SDK, to where the setting TELEMETRY says.

The ids are ours: they are made, and carried, whether or not anything is exported. The SDK is told of a span when it is
over, so none is open for long, and none is lost to a thread or a queue in between.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

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
Providers = tuple[TracerProvider, MeterProvider]

AZURE_MONITOR: Mapping[str, str] = {
    "OTEL_LOGS_EXPORTER": "none",  # the host forwards the log already: each line would come twice
    "OTEL_TRACES_SAMPLER": "microsoft.fixed_percentage",  # all; else five traces a second are kept
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "azure_app_service",  # that of a VM waits for an address no app has
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",  # the exporter's own telemetry goes to Microsoft
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",  # and that of ours: how many items it sent
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",  # and so does its look for remote settings
}
"""What the distro reads from the environment and nowhere else; who sets one of these has it as set."""
INSTRUMENTED = (
    "azure_sdk", "django", "fastapi", "flask", "httpx", "httpx2", "psycopg2", "requests", "urllib", "urllib3",
)  # fmt: skip
"""Libraries that the distro would have tell of each call: a dozen spans a message, of which our own tell what matters."""


class Exporter:
    """A sink that hands all to OpenTelemetry's SDK, which exports in a thread of its own."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        self._ids = _Ids()
        tracers.id_generator = self._ids
        self._tracers, self._meters = tracers, meters
        self._tracer = tracers.get_tracer(NAME)
        meter = meters.get_meter(NAME)
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

    def flush(self) -> None:
        """Exports what waits."""
        self._tracers.force_flush()
        self._meters.force_flush()

    def close(self) -> None:
        """Exports what waits, and nothing more from then on."""
        self._tracers.shutdown()
        self._meters.shutdown()


def exporter(to: str) -> Exporter:
    """to: as the setting TELEMETRY has it, but for `off`"""
    return Exporter(*_PROVIDERS[to]())


def _console() -> Providers:
    """On stderr, a line each; metrics once a minute."""
    return _providers(
        ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + "\n"),
        ConsoleMetricExporter(out=sys.stderr, formatter=lambda metrics: metrics.to_json(indent=None) + "\n"),
    )


def _otlp() -> Providers:
    """By HTTP to where OpenTelemetry's own variables say: OTEL_EXPORTER_OTLP_ENDPOINT and those beside it."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return _providers(OTLPSpanExporter(), OTLPMetricExporter())


def _azure_monitor() -> Providers:
    """By Microsoft's distro to the Application Insights of APPLICATIONINSIGHTS_CONNECTION_STRING, signing in as
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING says. raises: ConfigurationError without the former, or with a broken one"""
    if not os.environ.get(CONNECTION):
        raise ConfigurationError(f"{MEND} TELEMETRY is azure-monitor: set it too, or TELEMETRY to off")
    for name, value in AZURE_MONITOR.items():
        os.environ.setdefault(name, value)
    logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)

    from azure.monitor.opentelemetry import configure_azure_monitor
    from opentelemetry.metrics import get_meter_provider
    from opentelemetry.trace import get_tracer_provider

    try:
        configure_azure_monitor(
            resource=_resource(),
            instrumentation_options={library: {"enabled": False} for library in INSTRUMENTED},
            enable_live_metrics=False,
            enable_performance_counters=False,
            disable_offline_storage=True,
        )
    except ValueError as fault:
        raise ConfigurationError(f"{MEND} it is no connection string of Application Insights") from fault
    tracers, meters = get_tracer_provider(), get_meter_provider()
    assert isinstance(tracers, TracerProvider)  # noqa: S101  (it was set just now)
    assert isinstance(meters, MeterProvider)  # noqa: S101
    return tracers, meters


_PROVIDERS: Mapping[str, Callable[[], Providers]] = {
    "console": _console,
    "otlp": _otlp,
    "azure-monitor": _azure_monitor,
}


def _providers(spans: SpanExporter, metrics: MetricExporter) -> Providers:
    tracers = TracerProvider(resource=_resource())
    tracers.add_span_processor(BatchSpanProcessor(spans))
    meters = MeterProvider([PeriodicExportingMetricReader(metrics)], resource=_resource())
    return tracers, meters


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

    def given(self, place: Trace) -> _Ids:
        self._here.place = place
        return self

    def __enter__(self) -> None:
        """Until the span is made, in this thread."""

    def __exit__(self, *_: Any) -> None:
        del self._here.place

    def generate_trace_id(self) -> int:
        return int(self._here.place.trace_id, 16)

    def generate_span_id(self) -> int:
        return int(self._here.place.span_id, 16)
