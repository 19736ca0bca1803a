"""From a message to `flow.handle`: what every queue trigger shares."""

from __future__ import annotations

import logging
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared import telemetry
from shared.domain.facts import Fact, ReconcileDue, ScoringDue, StepDeadLettered
from shared.domain.names import digest
from shared.errors import GivenUp, InProgress, Transient, UnreadableMessage
from shared.telemetry.metrics import QUEUE_TIME, Measurement

if TYPE_CHECKING:
    from azure.functions import QueueMessage

LONGEST_TEXT = 1000
"""Characters of a message that could not be read which are kept for whoever looks into it."""
Read = Callable[[bytes], Fact | None]
"""The fact in a message's body; None for one that is none of our business. raises: UnreadableMessage, Transient"""


def receive(
    queue: str, body: bytes, read: Read, *, expected: bool = False, inserted: datetime | None = None
) -> None:
    """Has the fact in the message handled. What cannot be read is a dead letter at once: no delivery mends it.

    The host hands messages over as they are (`messageEncoding` in host.json): what it could not decode itself it would
    put into a poison queue whose trigger cannot decode it either, and nobody would ever see it.

    expected: whether the message is one of our own, and no event
    inserted: when the message came into the queue; None where this is not its first delivery
    """
    try:
        fact = read(_decoded(body))
    except UnreadableMessage as fault:
        _dead_letter(queue, body, str(fault))
        return
    if fact:
        _measure_wait(queue, fact, inserted)
        deliver(fact, expected=expected)


def first_seen(message: QueueMessage) -> datetime | None:
    """When it came into its queue, at its first delivery."""
    inserted: datetime | None = message.insertion_time
    return inserted if message.dequeue_count == 1 and inserted and inserted.tzinfo else None


def _measure_wait(queue: str, fact: Fact, inserted: datetime | None) -> None:
    """Without the time for which it was to be held back."""
    if inserted is not None:
        waited = (datetime.now(UTC) - inserted).total_seconds() - fact.delay_seconds
        measurement = Measurement(metric=QUEUE_TIME, value=max(0.0, waited), attributes={"queue": queue})
        telemetry.measure(measurement)


def received_in_vain(queue: str, body: bytes, read: Read) -> None:
    """Records that a message failed as often as it may, so that a person sees it."""
    try:
        fact = read(_decoded(body))
    except (UnreadableMessage, Transient) as fault:
        _dead_letter(queue, body, str(fault))
        return
    if fact:
        give_up(fact)


def _decoded(body: bytes) -> bytes:
    """Base64, as Event Grid and our bus write messages; or the text itself, as somebody may who writes one by hand."""
    try:
        return b64decode(body, validate=True)
    except ValueError:
        return body


def fact_in(body: bytes, of: type[Fact] = Fact) -> Fact:
    """A fact of our own, as the bus writes it; raises: UnreadableMessage, Transient"""
    try:
        return of.from_message(body.decode())
    except UnicodeDecodeError as cause:
        raise UnreadableMessage("it is no UTF-8") from cause


def deliver(fact: Fact, *, expected: bool = False) -> None:
    """Has the fact handled; what is raised makes the host deliver the message again.

    expected: whether the message is one of our own, and no event or clock
    A delivery that meets another one at work is dropped: that one, or the reconciler after its death, finishes it. Where
    the fact is in no outbox yet, nobody would: then it is delivered again. A fact that has failed as often as it may,
    however it was delivered, is a dead letter.
    raises: InProgress, and what the step raises
    """
    from shared import flow, wiring

    try:
        flow.handle(fact, wiring.services(), expected=expected)
    except InProgress:
        if not expected and not wiring.services().ledger.outbox.is_open(fact):
            raise
        telemetry.say(
            telemetry.Action.DELIVER, "Another delivery is at it; this one is dropped.", key=fact.key
        )
    except GivenUp:
        give_up(fact)


def tick(fact: ReconcileDue | ScoringDue) -> None:
    """Has what a clock says handled. What fails is logged by the host; what keeps failing is seen by a person."""
    from shared import flow, wiring

    flow.tick(fact, wiring.services())


def give_up(fact: Fact) -> None:
    """Records that a fact's step failed as often as it may, so that a person sees it."""
    from shared import wiring
    from shared.procedures.dead_letters import given_up

    services = wiring.services()
    dead = given_up(fact, services)
    if dead is not None:
        _record(dead)
        services.ledger.outbox.dead_letter(fact, retries=dead.retries)


def _dead_letter(queue: str, body: bytes, fault: str) -> None:
    text = _decoded(body).decode(errors="replace")
    reason = f"the message could not be read: {fault}"[:LONGEST_TEXT]
    _record(StepDeadLettered(queue=queue, about=digest(text), reason=reason, message=text[:LONGEST_TEXT]))


def _record(dead: StepDeadLettered) -> None:
    """What the message says is not logged."""
    deliver(dead)
    telemetry.say(
        telemetry.Action.DEAD_LETTER,
        f"A message of {dead.queue} was dead-lettered.",
        level=logging.ERROR,
        key=dead.about,
    )
