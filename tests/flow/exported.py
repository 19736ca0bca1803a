"""A sink that keeps what is exported, and what holds of all spans of a trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from shared import telemetry
from shared.domain.trace import Trace
from shared.telemetry.metrics import Measurement
from shared.telemetry.spans import Span

SEEN_ELSEWHERE = {
    "campanha.queue.time", "campanha.deliveries",  # measured outside the flow
    "campanha.lost_races", "campanha.fence_waits",  # seldom in a season; test_mended_by_itself.py has them
}  # fmt: skip
"""Metrics that a season of the flow measures seldom, or never."""


@dataclass
class Exported:
    """Spans and metrics, in the order in which they were exported."""

    spans: list[Span] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    lost_with: str = ""
    """The error that ends a process: what it was at is exported no more."""

    def take(self, span: Span) -> None:
        if not self.lost_with or span.problem != self.lost_with:
            self.spans.append(span)

    def measure(self, measurement: Measurement) -> None:
        self.measurements.append(measurement)

    def of(self, trace: Trace | None) -> list[Span]:
        assert trace is not None
        return [span for span in self.spans if span.place.is_with(trace)]

    def names(self, trace: Trace | None) -> list[str]:
        return [span.name for span in self.of(trace)]

    def roots(self) -> Counter[str]:
        """How many spans of each trace are under no other."""
        return Counter(span.place.trace_id for span in self.spans if not span.parent)

    def orphans(self) -> list[Span]:
        """Spans under one that is not there."""
        there = {(span.place.trace_id, span.place.span_id) for span in self.spans}
        return [
            span for span in self.spans if span.parent and (span.place.trace_id, span.parent) not in there
        ]

    def one_way_links(self) -> list[Span]:
        """Spans that link to a trace in which none links back."""
        back = {(link.trace_id, span.place.trace_id) for span in self.spans for link in span.links}
        return [
            span
            for span in self.spans
            if any((span.place.trace_id, link.trace_id) not in back for link in span.links)
        ]

    def totals(self) -> Counter[tuple[str, ...]]:
        """The sums, by the metric's name and the values of its attributes."""
        sums: Counter[tuple[str, ...]] = Counter()
        for one in self.measurements:
            sums[one.metric.name, *one.attributes.values()] += int(one.value)
        return sums


@contextmanager
def exporting(exported: Exported | None = None) -> Iterator[Exported]:
    """While the body runs, telemetry goes there."""
    sink = exported or Exported()
    telemetry.export_to(sink)
    try:
        yield sink
    finally:
        telemetry.export_to(None)
