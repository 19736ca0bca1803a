"""A lineage as a timeline: from the upload over the run's steps to what was scored, as bars over a common scale.

It is made of the histories that the ledger keeps, so it needs no Application Insights, and is the same here and in Azure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from commands.client import states, tables
from commands.client.status_api import Json
from commands.client.timeline import Span, spans
from shared.domain.trace import Trace

if TYPE_CHECKING:
    from rich.text import Text

ORDER = (
    "uploads",
    "firstUpload",
    "upload",
    "dataset",
    "run",
    "model",
    "deployment",
    "batch",
    "batches",
    "outcome",
    "outcomes",
)
"""In which things come of one another, under the names that a lineage has for them."""
LABEL, BARS = 24, 26
"""Columns."""
LONGEST_GAP = 0.1
"""Of the time in which something was at work: a longer pause in which nothing was is drawn as that much."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing of a lineage, or a step of its run."""

    kind: str
    name: str
    state: str
    trace: str
    """The id of the trace that it was begun in; empty where none is known."""
    span: Span
    goes_on: bool = False
    model_trace: str = ""
    """Of a batch: the id of its model's trace, which has one span of it."""

    def to_json(self) -> Json:
        ends = {} if self.goes_on else {"endedAt": self.span.end.isoformat(timespec="milliseconds")}
        return {
            "kind": self.kind,
            "name": self.name,
            "state": self.state,
            **({"traceId": self.trace} if self.trace else {}),
            **({"modelTraceId": self.model_trace} if self.model_trace else {}),
            "startedAt": self.span.begin.isoformat(timespec="milliseconds"),
            **ends,
            "seconds": round(self.span.seconds, 3),
        }


def trace_of(lineage: Json) -> str:
    """The trace from upload to release: that of the model; else that of the first thing there is."""
    found = {line.kind: line.trace for line in reversed(lines(lineage)) if line.trace}
    return next(
        (found[kind] for kind in ("model", "dataset", "upload", "batch", "outcome") if kind in found), ""
    )


def lines(lineage: Json) -> list[Line]:
    """All that has begun, in the order in which things come of one another."""
    found = [lineage[name] for name in ORDER if lineage.get(name)]
    things = [thing for one in found for thing in (one if isinstance(one, list) else [one])]
    made = [line for thing in things if thing.get("history") for line in _lines(thing)]
    batches = [line for line in made if line.kind in ("batch", "outcome")]
    return [line for line in made if line not in batches] + sorted(batches, key=lambda line: line.span.begin)


def _lines(thing: Json) -> Iterator[Line]:
    begin, end, goes_on = _worked(thing)
    kind, trace = str(thing["kind"]), str(thing.get("traceId", ""))
    name, span = str(thing.get("name") or thing["id"]), Span(begin=begin, end=end)
    joined = Trace.read(thing.get("modelTraceparent"))
    yield Line(
        kind=kind,
        name=name,
        state=str(thing["state"]),
        trace=trace,
        span=span,
        goes_on=goes_on,
        model_trace=joined.trace_id if joined else "",
    )
    if kind != "run":
        return
    for step, at in zip(thing.get("steps") or [], spans(thing), strict=True):
        if at:
            state = str(step["status"]).lower()
            yield Line(
                kind="step",
                name=str(step["name"]),
                state=state,
                trace=trace,
                span=at,
                goes_on=state == "running",
            )


def _worked(thing: Json) -> tuple[datetime, datetime, bool]:
    """From its first state to the first that waits for nothing more by itself; what came later is another story."""
    moves = [(str(move["state"]), datetime.fromisoformat(move["enteredAt"])) for move in thing["history"]]
    at_work = [states.goes_on(str(thing["kind"]), state) for state, _ in moves]
    last = max((place for place, works in enumerate(at_work) if works), default=None)
    begin = moves[0][1]
    if last is None:
        return begin, begin, False
    if last + 1 < len(moves):
        return begin, moves[last + 1][1], False
    return begin, max(begin, datetime.now(UTC)), True


def drawn(lineage: Json) -> Text | None:
    """The trace, and a line for each thing: its bar, state, begin and duration; None where nothing has a history."""
    from rich.text import Text

    found = lines(lineage)
    if not found:
        return None
    main, scale = trace_of(lineage), _Scale([line.span for line in found])
    days = {line.span.begin.date() for line in found}
    rows = [_row(line, scale, main, with_day=len(days) > 1) for line in found]
    head = Text.assemble(("trace ", "bold"), main or "not known: the app knew no traces then")
    note = Text("┊ a pause, not to scale", style="dim") if scale.pauses else None
    return Text("\n").join([head, *rows, *([note] if note else [])])


def _row(line: Line, scale: _Scale, main: str, *, with_day: bool) -> Text:
    from rich.text import Text

    label = f"  {line.name}" if line.kind == "step" else f"{line.kind} {line.name}"
    label = label if len(label) <= LABEL else f"{label[: LABEL - 1]}…"
    began = line.span.begin.strftime("%m-%d %H:%M:%S" if with_day else "%H:%M:%S")
    kind, state = line.kind, line.state.capitalize() if line.kind == "step" else line.state
    other = f"  its own trace {line.trace[:8]}…" if line.trace and line.trace != main else ""
    return Text.assemble(
        (f"{label:<{LABEL}} ", "dim" if kind == "step" else ""),
        (scale.bar(line.span), states.colour(kind, state)),
        f" {line.state:<11} {began}  {tables.duration(line.span.seconds)}{' so far' if line.goes_on else ''}",
        (other, "dim"),
    )


class _Scale:
    """Time as columns: in proportion where something is at work, and short where nothing is."""

    def __init__(self, found: Sequence[Span]) -> None:
        self._busy = _merged(found)
        work = sum((end - begin for begin, end in self._busy), timedelta())
        longest = max(work * LONGEST_GAP, timedelta(seconds=1))
        self._places, place = [timedelta()], self._busy[0][1] - self._busy[0][0]
        pauses = []
        for (_, before), (begin, end) in pairwise(self._busy):
            pause = min(begin - before, longest)
            if pause < begin - before:
                pauses.append(place + pause / 2)
            self._places.append(place + pause)
            place += pause + end - begin
        self._whole = max(place, timedelta(seconds=1))
        self.pauses = {min(BARS - 1, int(at / self._whole * BARS)) for at in pauses}

    def bar(self, span: Span) -> str:
        left = min(BARS - 1, self._column(span.begin))
        right = min(BARS, max(left + 1, self._column(span.end)))
        return "".join(
            "━" if left <= column < right else "┊" if column in self.pauses else " " for column in range(BARS)
        )

    def _column(self, moment: datetime) -> int:
        number = max(n for n, (begin, _) in enumerate(self._busy) if begin <= moment)
        begin, end = self._busy[number]
        return round((self._places[number] + min(moment, end) - begin) / self._whole * BARS)


def _merged(found: Sequence[Span]) -> list[tuple[datetime, datetime]]:
    """The stretches of time in which something was at work."""
    merged: list[tuple[datetime, datetime]] = []
    for span in sorted(found, key=lambda one: one.begin):
        if merged and span.begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], span.end))
        else:
            merged.append((span.begin, span.end))
    return merged


def as_json(lineage: Json) -> dict[str, Any]:
    """What is drawn, for programs."""
    main = trace_of(lineage)
    head = {"traceId": main} if main else {}
    return {**head, "timeline": [line.to_json() for line in lines(lineage)]}
