"""From a message to `flow.handle`: what every queue trigger shares."""

from __future__ import annotations

import logging

from shared import telemetry
from shared.domain.facts import Fact, StepDeadLettered
from shared.domain.names import digest
from shared.errors import InProgress


def deliver(fact: Fact, *, expected: bool = False) -> None:
    """Has the fact handled; what is raised makes the host deliver the message again.

    expected: whether the message is one of our own, and no event or clock
    A delivery that meets another one at work is dropped: that one, or the reconciler after its death, finishes it.
    """
    from shared import flow, wiring

    try:
        flow.handle(fact, wiring.services(), expected=expected)
    except InProgress:
        telemetry.say("deliver", "Another delivery is at it; this one is dropped.", key=fact.key)


def tick(fact: Fact) -> None:
    """Has what a clock says handled. What fails is logged by the host; what keeps failing is seen by a person."""
    from shared import flow, wiring

    flow.tick(fact, wiring.services())


def dead_letter(queue: str, message: str, fact: Fact | None) -> None:
    """Records that a message failed as often as it may, so that a person sees it; what it says is not logged."""
    from shared import wiring

    about = fact.key if fact else digest(message)
    entry = wiring.services().ledger.claims.find(fact.key) if fact else None
    last = entry.value.get("last_error") if entry else None
    reason = (
        f"it failed at every delivery: {last or 'its log says why'}"
        if fact
        else "the message could not be read"
    )
    retries = wiring.services().ledger.outbox.dead_letter(fact) if fact else 0
    deliver(StepDeadLettered(queue=queue, about=about, reason=reason, retries=retries))
    telemetry.say("dead_letter", f"A message of {queue} was dead-lettered.", level=logging.ERROR, key=about)
