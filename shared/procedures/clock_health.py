"""Clock health: how often in a row each clock's step failed; from the third time on a person is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.facts import ClockRecovered, Fact, ReconcileDue, ScoringDue, StepDeadLettered
from shared.errors import in_words
from shared.ledger import Document, Versioned
from shared.services import Services

CLOCKS = (ScoringDue, ReconcileDue)
"""Facts that a clock alone makes: no queue counts their failures, and the next tick is another fact."""
MOST_FAILURES = 3
"""In a row. One or two are a restart, or a moment in which storage did not answer."""


@dataclass(frozen=True, kw_only=True)
class ClockRuns:
    """How a clock's last ticks went."""

    failures: int = 0
    """In a row, up to now."""
    outages: int = 0
    """How often it failed so many times that a person was told."""
    reason: str = ""


CLOCK_RUNS = Document(name="clock-runs", type=ClockRuns, placement="standing")
"""One per clock."""


GAP = timedelta(minutes=5)
"""Without a good reconciliation for so long, something is the matter; and what absence says is not judged right after."""
SELDOM = timedelta(seconds=20)
"""A schedule of seconds, as tests and demos have, writes no heartbeat more often."""


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """When the reconciliation loop last ended well."""

    last: str
    steady_since: str
    """The first time since a gap: from then on it has run without one."""


HEARTBEAT = Document(name="heartbeat", type=Heartbeat, placement="standing")
"""One, at the name of the clock's fact. It is a dead man's switch: who looks after it must not be the loop itself."""
SWEEP = ReconcileDue.__name__


def beat(tick: Fact, services: Services) -> None:
    """The reconciliation ended well. raises: Conflict where another worker says so at the same moment"""
    if not isinstance(tick, ReconcileDue):
        return
    known, now = services.ledger.documents.read(HEARTBEAT, SWEEP), services.now()
    last = datetime.fromisoformat(known.value.last) if known else None
    if last is not None and timedelta() <= now - last < SELDOM:
        return
    stamp = now.isoformat(timespec="milliseconds")
    steady = known.value.steady_since if known and last and now - last <= GAP else stamp
    services.ledger.documents.write(HEARTBEAT, SWEEP, Heartbeat(last=stamp, steady_since=steady), over=known)


def stopped_since(heartbeat: Heartbeat | None, now: datetime) -> str | None:
    """When the reconciliation last ended well, where that is too long ago; None before its very first time."""
    if heartbeat is None or now - datetime.fromisoformat(heartbeat.last) <= GAP:
        return None
    return heartbeat.last


def is_stopped(services: Services) -> bool:
    """raises: Transient"""
    known = services.ledger.documents.read(HEARTBEAT, SWEEP)
    return stopped_since(known.value if known else None, services.now()) is not None


def failed(tick: Fact, problem: Exception, services: Services) -> list[Fact]:
    """Counts a failed tick; from the third in a row on it is a dead letter, the same one each time: whoever was to tell a
    person of it may have died."""
    clock = type(tick).__name__
    known = services.ledger.documents.read(CLOCK_RUNS, clock)
    runs = known.value if known else ClockRuns()
    failures = runs.failures + 1
    reason = f"{clock} failed {failures} times in a row, the last time with {in_words(problem)}"
    counted = replace(
        runs, failures=failures, reason=reason, outages=runs.outages + (failures == MOST_FAILURES)
    )
    services.ledger.documents.write(CLOCK_RUNS, clock, counted, over=known)
    return [_dead_letter(clock, counted)] if failures >= MOST_FAILURES else []


def succeeded(tick: Fact, services: Services) -> Iterator[Fact]:
    """What a person was told of is over. The count begins anew once that was handled: who dies before finds it again."""
    clock = type(tick).__name__
    known = services.ledger.documents.read(CLOCK_RUNS, clock)
    if known is None or not known.value.failures:
        return
    if known.value.failures >= MOST_FAILURES:
        yield ClockRecovered(clock=clock, dead_letter=_dead_letter(clock, known.value).key)
    begun = replace(known.value, failures=0, reason="")
    services.ledger.documents.write(CLOCK_RUNS, clock, begun, over=known)


def unwell(services: Services) -> dict[str, str]:
    """The clocks whose step keeps failing, each with what it says."""
    found: dict[str, Versioned[ClockRuns] | None] = {
        clock.__name__: services.ledger.documents.read(CLOCK_RUNS, clock.__name__) for clock in CLOCKS
    }
    return {
        clock: runs.value.reason
        for clock, runs in found.items()
        if runs and runs.value.failures >= MOST_FAILURES
    }


def _dead_letter(clock: str, runs: ClockRuns) -> StepDeadLettered:
    return StepDeadLettered(queue="clock", about=clock, reason=runs.reason, retries=runs.outages - 1)
