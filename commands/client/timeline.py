"""A run's steps as a timeline: when each began and ended, as bars over a common scale (a Gantt chart)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from commands.client import states, tables
from commands.client.status_api import Json

if TYPE_CHECKING:
    from rich.text import Text

WIDE = 40


@dataclass(frozen=True, kw_only=True)
class Span:
    """A step that has begun."""

    begin: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.begin).total_seconds()


def spans(run: Json) -> list[Span | None]:
    """When each step began and ended; None before it has begun.

    Azure ML makes all steps of a pipeline at once and reports when it made them. A step that others had to end before
    cannot have begun earlier than they ended, so the later of the two is its begin.
    """
    found: list[Span | None] = []
    over = None if states.is_going(run) else datetime.fromisoformat(run["lastModifiedAt"])
    for step in run.get("steps") or []:
        if not step.get("startedAt") or states.waits(step["status"]):
            found.append(None)
            continue
        end = datetime.fromisoformat(step["endedAt"]) if step.get("endedAt") else over or datetime.now(UTC)
        before = [span.end for span in found if span and span.end <= end]
        found.append(Span(begin=max([datetime.fromisoformat(step["startedAt"]), *before]), end=end))
    return found


def took(run: Json) -> str:
    """From the first step's begin to the last one's end, or until now."""
    begun = [span for span in spans(run) if span]
    if not begun:
        return ""
    return tables.duration(Span(begin=begun[0].begin, end=max(span.end for span in begun)).seconds)


def steps(run: Json) -> Text:
    """The steps as bars over a common scale."""
    from rich.text import Text

    found = spans(run)
    begun = [span for span in found if span]
    if not begun:
        return Text("no step has started yet", style="dim")
    whole = Span(begin=begun[0].begin, end=max(span.end for span in begun))
    rows = zip(run["steps"], found, strict=True)
    return Text("\n").join(_bar(step, span, whole) for step, span in rows)


def _bar(step: Json, span: Span | None, whole: Span) -> Text:
    from rich.text import Text

    name, status = f"  {step['name']:<12}", f"  {step['status'].lower():<11} "
    if span is None:
        return Text.assemble(name, " " * WIDE, status)
    scale = WIDE / max(1.0, whole.seconds)
    left = round(Span(begin=whole.begin, end=span.begin).seconds * scale)
    bar = " " * left + "━" * max(1, round(span.seconds * scale))
    return Text.assemble(
        name, (f"{bar:<{WIDE}}", states.colour("step", step["status"])), status, tables.duration(span.seconds)
    )
