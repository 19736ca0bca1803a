"""Spans: one for each attempt at a fact, under the span that led to the fact, and links to the other traces it meets."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from shared.domain.trace import Trace

Value = str | int | float | bool

ATTRIBUTES = {
    "campanha.fact": "The fact that it is about, by name.",
    "campanha.key": "The fact's key.",
    "campanha.attempt": "Which attempt at it this is.",
    "http.request.method": "Of a request: its method.",
    "http.response.status_code": "Of a request: the answer's status.",
    "error.type": "What kind of error ended it, never what it says.",
}
"""All that spans have."""
MOST_LINKS = 100
"""Of one span; Application Insights keeps no more than fit one of its properties."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """Something that was done, when it is over."""

    name: str
    """One of few: a step, a fact, or a method and route."""
    place: Trace
    parent: str
    """The span it is under; empty for the first of its trace."""
    begun: int
    ended: int
    """Nanoseconds since 1970."""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    links: tuple[Trace, ...] = ()
    problem: str = ""
    """What kind of error ended it, never what it says; empty: none."""


@dataclass
class Active:
    """A span that is under way."""

    name: str
    place: Trace
    parent: str
    begun: int = field(default_factory=time.time_ns)
    attributes: dict[str, Value] = field(default_factory=dict)
    links: dict[str, Trace] = field(default_factory=dict)
    problem: str = ""

    def link(self, other: Trace) -> None:
        """This belongs to another trace as well; to its own it does anyway."""
        if not other.is_with(self.place) and len(self.links) < MOST_LINKS:
            self.links.setdefault(other.trace_id, other)

    def spans(self) -> Iterable[Span]:
        """What it becomes when it is over: its own span, and one like it in each linked trace, which links back."""
        ended = time.time_ns()
        yield self._span(self.place, self.parent, ended, tuple(self.links.values()))
        for other in self.links.values():
            yield self._span(other.child(), other.span_id, ended, (self.place,))

    def _span(self, place: Trace, parent: str, ended: int, links: tuple[Trace, ...]) -> Span:
        return Span(
            name=self.name,
            place=place,
            parent=parent,
            begun=self.begun,
            ended=ended,
            attributes=dict(self.attributes),
            links=links,
            problem=self.problem,
        )


current: ContextVar[Active | None] = ContextVar("span", default=None)
"""The span that the running code belongs to."""
