"""The page on telemetry, `docs/telemetry.md`: its tables are those that the code emits by."""

from __future__ import annotations

from collections.abc import Iterator

from shared.telemetry.actions import Action, fields
from shared.telemetry.metrics import METRICS, Attribute, Metric
from shared.telemetry.spans import ATTRIBUTES

HEAD = """# Telemetry

What the app says of its work: log lines always; spans and metrics by OpenTelemetry where the setting
[`TELEMETRY`](settings.md) says so. No value of a row is in any of it. The tables of this page are those that the code
emits by ([shared/telemetry](../shared/telemetry)), written out by `python docs/generated.py`; alerts and workbook
([infra](../infra)) are held against them, and against what a real flow emits.
"""
PLACES = (
    ("what", "on this machine", "in Azure"),
    ("---", "---", "---"),
    ("log lines, all levels", "`./dev logs --app`", "`traces`, by the host"),
    ("each call of a function: requests, messages, clocks", "the same log", "`requests`, by the host"),
    (
        "spans: each attempt at a step, each request that changes something",
        "`./dev up --set TELEMETRY=console`, or `otlp`",
        "`dependencies`, by the app",
    ),
    ("metrics", "the same", "`customMetrics`, by the app"),
    (
        "what a model's deployment prints",
        "`./dev logs`",
        "`./dev logs`, and `traces` of the workspace's own Application Insights",
    ),
    (
        "each request to a model's endpoint",
        "`/__localazure/telemetry` of the embedded Azure",
        "`requests` of the workspace's own, with `SERVING_APP_INSIGHTS=on`",
    ),
)
"""Which telemetry is where."""
TRACES = """Nothing comes twice: the app exports no log lines, which the host forwards anyway, and its spans are no
requests. The host's own telemetry stays as it is (`host.json` names no `telemetryMode`). A request's trace id is in its
answer (`traceparent`, `x-ms-request-id`, and `traceId` of a problem), and in the `trace` of each log line written for it.

## Traces

Every fact carries its trace from where it comes about to where it is done ([how, and why
so](decisions/0025-a-fact-carries-its-trace.md)), whether or not anything is exported: in its message, in the outbox, and in
the claim that decides on it. So neither a crash, nor a message that is lost or delivered twice, ends a trace or begins
another. Every record says its `traceId`; `./dev trace NAME` draws the timeline.

- A trace begins where something comes from outside: a file, a request over HTTP (which goes on in its caller's
  `traceparent`), a clock's retrain. From a dropped file to the model that answers it is one.
- A dataset version of several files goes on in the trace of the first; the others link to it, and it to them.
- A batch has a trace of its own. When it is at its end, the trace of its model gets one span, and both link to each other;
  its record has `modelTraceparent`.
- A step that moves a thing of another trace, or makes something of another trace due, links to that, both ways.
- Waiting is no span: a run of an hour is a gap between `start_run` and `judge_run`.
- Events bring `traceparent` (CloudEvents' extension for distributed tracing), runs in Azure ML have the tag
  `campanha.traceparent`, and requests for scores the header.

Spans are named by their step, by their fact where it has none, or by method and route. A fact that comes from outside has a
span without length, under which all attempts are. A process that is killed loses its last seconds of spans (they are
exported in batches), and no trace id.
"""
USE = """## Sending it elsewhere

`TELEMETRY=otlp` sends to any receiver of OTLP over HTTP, by OpenTelemetry's own variables:

```
./dev up --set TELEMETRY=otlp --set OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
```

`TELEMETRY=azure-monitor` sends by the exporter of Microsoft's distro, signing in as the app does. What the exporter tells
Microsoft of itself, its remote control and its files on disk are off. The rest of the distro is not used: it would have
the libraries tell of each call, a dozen spans a message that the log and the metrics sum up, and `azure-ai-ml` send spans
of its own.

All traces are kept; `OTEL_TRACES_SAMPLER=traceidratio` and `OTEL_TRACES_SAMPLER_ARG=0.1` keep a tenth of them, whole.

## What it costs

Measured on two cores of a small machine, per message, all spans and metrics of it included:

| `TELEMETRY` | per message | at the start |
|---|---|---|
| `off` | 0.01 ms: the trace is carried | nothing; no OpenTelemetry is loaded |
| `otlp` | 0.1 ms | 0.1 s, 12 MB |
| `azure-monitor` | 0.3 ms | 0.2 s, 29 MB |

A message's calls to storage take 20 ms and more.
"""


def telemetry_page() -> str:
    lines = [HEAD, *(f"| {' | '.join(row)} |" for row in PLACES), "", TRACES]
    lines += ["| attribute of spans | what it says |", "|---|---|"]
    lines += [f"| `{name}` | {sentence} |" for name, sentence in ATTRIBUTES.items()]
    lines += ["", "## Metrics", "", "| metric | unit | told apart by | what it counts |", "|---|---|---|---|"]
    lines += [_metric(metric) for metric in METRICS]
    lines += ["", *_attributes(), "", "## The log", ""]
    lines += [
        "A line is a sentence and a JSON object of these fields.", "",
        "| field | what it says |", "|---|---|",
        *(f"| `{name}` | {sentence} |" for name, sentence in fields().items()), "",
        "`action` is the name of a [step](../README.md), or one of these; there are no others.", "",
        "| action | what it means |", "|---|---|",
        *(f"| `{action}` | {action.meaning} |" for action in Action), "",
    ]  # fmt: skip
    return "\n".join([*lines, USE]).rstrip("\n") + "\n"


def _metric(metric: Metric) -> str:
    by = ", ".join(f"`{attribute.name}`" for attribute in metric.attributes)
    kind = "" if metric.instrument == "counter" else " (histogram)"
    return f"| `{metric.name}` | {metric.unit}{kind} | {by} | {metric.sentence} |"


def _attributes() -> Iterator[str]:
    yield from ("| attribute | what it is | values |", "|---|---|---|")
    seen: dict[str, Attribute] = {}
    for attribute in [attribute for metric in METRICS for attribute in metric.attributes]:
        known = seen.get(attribute.name)
        both = (
            (known.values or frozenset()) | (attribute.values or frozenset()) if known else attribute.values
        )
        seen[attribute.name] = Attribute(name=attribute.name, sentence=attribute.sentence, values=both)
    for name, attribute in seen.items():
        values = sorted(attribute.values or ())
        shown = (
            ", ".join(f"`{value}`" for value in values) if 0 < len(values) < 20 else "as the table has them"
        )
        yield f"| `{name}` | {attribute.sentence} | {shown} |"
