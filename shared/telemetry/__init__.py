"""Telemetry: log lines, spans and metrics; no data values, no secrets.

Log lines always: a sentence, and fields a machine can filter by. Spans and metrics where a sink takes them: by default
none does, and no OpenTelemetry is loaded. The trace is carried in either case.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, Unpack

from shared.domain.facts import Fact
from shared.domain.trace import Trace
from shared.telemetry import metrics, spans
from shared.telemetry.actions import Action, Fields
from shared.telemetry.metrics import Measurement
from shared.telemetry.spans import Active, Span

__all__ = [
    "Action", "about", "begin_trace", "carried", "done", "export_to", "happened", "measure", "mended", "say", "span",
    "step",
]  # fmt: skip

log = logging.getLogger("campanha")


class Sink(Protocol):
    """Where spans and metrics go. It must neither fail nor wait."""

    def take(self, span: Span) -> None: ...

    def measure(self, measurement: Measurement) -> None: ...


class _Guarded:
    """A sink that fails, although it must not, stops no work: the first time is told, and it is asked again."""

    def __init__(self, sink: Sink) -> None:
        self._sink, self._told = sink, False

    def take(self, span: Span) -> None:
        try:
            self._sink.take(span)
        except Exception as problem:  # noqa: BLE001  (whatever is wrong with telemetry, work goes on)
            self._tell(problem)

    def measure(self, measurement: Measurement) -> None:
        try:
            self._sink.measure(measurement)
        except Exception as problem:  # noqa: BLE001  (as above)
            self._tell(problem)

    def _tell(self, problem: Exception) -> None:
        if not self._told:
            self._told = True
            kind = type(problem).__name__
            say(Action.EXPORT, "Spans and metrics are lost.", level=logging.ERROR, problem=kind)


_sink: Sink | None = None


def export_to(sink: Sink | None) -> None:
    """From now on spans and metrics go there; None: nowhere."""
    global _sink  # noqa: PLW0603  (one process, one place where its telemetry goes)
    _sink = None if sink is None else _Guarded(sink)


# --- log lines --------------------------------------------------------------------------------------------


def say(action: Action, sentence: str, *, level: int = logging.INFO, **fields: Unpack[Fields]) -> None:
    """Logs `sentence` with its `action` and fields, and the trace it belongs to."""
    _log(action, sentence, level, fields)


def _log(action: str, sentence: str, level: int, fields: Fields) -> None:
    if not log.isEnabledFor(level):
        return
    here = carried()
    details = {"action": action, **fields, **({"trace": here.trace_id} if here else {})}
    log.log(level, "%s %s", sentence, json.dumps(details, separators=(",", ":")), extra={"campanha": details})


@contextmanager
def step(name: str, key: str) -> Iterator[Callable[[Sequence[Fact]], None]]:
    """Logs a step's begin, and its end with duration and the facts it led to, or with the error that stopped it."""
    started = time.monotonic()
    led_to: list[str] = []
    _log(name, f"{name} begins.", logging.INFO, {"key": key})
    try:
        yield lambda facts: led_to.extend(type(fact).__name__ for fact in facts)
    except Exception as problem:
        _log(name, f"{name} failed.", logging.WARNING, {"key": key, "problem": type(problem).__name__})
        _took(name, "failed", started)
        raise
    took = round((time.monotonic() - started) * 1000)
    _log(
        name, f"{name} done.", logging.INFO,
        {"key": key, "led_to": ",".join(dict.fromkeys(led_to)), "milliseconds": took},
    )  # fmt: skip
    _took(name, "done", started)


def _took(name: str, outcome: str, started: float) -> None:
    seconds, attributes = time.monotonic() - started, {"step": name, "outcome": outcome}
    measure(Measurement(metric=metrics.STEP_DURATION, value=seconds, attributes=attributes))


# --- spans ------------------------------------------------------------------------------------------------


def carried() -> Trace | None:
    """The trace that the running code belongs to; None outside of any."""
    active = spans.current.get()
    return active.place if active else None


@contextmanager
def span(active: Active, *, exported: Callable[[], bool] = lambda: True) -> Iterator[Active]:
    """What the body does belongs to this span. It is exported at its end, with the kind of error that ended it.

    exported: asked at the end whether it is worth it
    """
    token = spans.current.set(active)
    try:
        yield active
    except BaseException as problem:
        active.problem = type(problem).__name__
        raise
    finally:
        spans.current.reset(token)
        if _sink is not None and (active.problem or exported()):
            for each in active.spans():
                _sink.take(each)


def begin_trace(place: Trace, fact: Fact) -> None:
    """A fact came from outside: the first span of its trace, of no length, under which all its attempts are."""
    if _sink is not None:
        first = Active(type(fact).__name__, place, "", attributes=about(fact))
        for each in first.spans():
            _sink.take(each)


def about(fact: Fact) -> dict[str, spans.Value]:
    """Attributes of a span about a fact."""
    return {"campanha.fact": type(fact).__name__, "campanha.key": fact.key}


# --- metrics ----------------------------------------------------------------------------------------------


def measure(measurement: Measurement) -> None:
    """Adds a number to a metric."""
    if _sink is not None:
        _sink.measure(measurement)


def done(fact: Fact, outcome: str) -> None:
    """An attempt at a fact has ended."""
    attributes = {"type": type(fact).__name__, "outcome": outcome}
    measure(Measurement(metric=metrics.FACTS_DONE, attributes=attributes))


def mended(counted: Counter[str]) -> None:
    """Adds what mended itself, as the ledger counts it: a fact that the reconciler found due, by its type, and the like."""
    for name, times in counted.items():
        metric = metrics.MENDED.get(name, metrics.REPAIRS)
        attributes = {"type": name} if metric is metrics.REPAIRS else {}
        measure(Measurement(metric=metric, value=times, attributes=attributes))


def happened(*facts: Fact) -> None:
    """Adds what each of them stands for."""
    if _sink is None:
        return
    for fact in facts:
        for measurement in metrics.OF_FACTS.get(type(fact), lambda _: ())(fact):
            _sink.measure(measurement)
