"""Clock health: how often in a row each clock's step failed; from the third time on a person is told."""

from __future__ import annotations

from dataclasses import dataclass, replace

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


def failed(tick: Fact, problem: Exception, services: Services) -> list[Fact]:
    """Counts a failed tick; the third in a row is a dead letter."""
    clock = type(tick).__name__
    known = services.ledger.documents.read(CLOCK_RUNS, clock)
    runs = known.value if known else ClockRuns()
    failures = runs.failures + 1
    reason = f"{clock} failed {failures} times in a row, the last time with {in_words(problem)}"
    told = failures == MOST_FAILURES
    counted = replace(runs, failures=failures, reason=reason, outages=runs.outages + told)
    services.ledger.documents.write(CLOCK_RUNS, clock, counted, over=known)
    return [_dead_letter(clock, counted)] if told else []


def succeeded(tick: Fact, services: Services) -> list[Fact]:
    """Begins the count anew; what a person was told of is over."""
    clock = type(tick).__name__
    known = services.ledger.documents.read(CLOCK_RUNS, clock)
    if known is None or not known.value.failures:
        return []
    services.ledger.documents.write(
        CLOCK_RUNS, clock, replace(known.value, failures=0, reason=""), over=known
    )
    if known.value.failures < MOST_FAILURES:
        return []
    return [ClockRecovered(clock=clock, dead_letter=_dead_letter(clock, known.value).key)]


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
