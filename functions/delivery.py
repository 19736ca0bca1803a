"""From a message to `flow.handle`: what every queue trigger shares."""

from __future__ import annotations

import logging
from collections.abc import Callable

from shared import telemetry
from shared.domain.facts import Fact, StepDeadLettered
from shared.domain.names import digest
from shared.errors import GivenUp, InProgress, Transient, UnreadableMessage

Read = Callable[[bytes], Fact | None]
"""The fact in a message's body; None for one that is none of our business. raises: UnreadableMessage, Transient"""


def receive(queue: str, body: bytes, read: Read, *, expected: bool = False) -> None:
    """Has the fact in the message handled. What cannot be read is a dead letter at once: no delivery mends it.

    expected: whether the message is one of our own, and no event
    """
    try:
        fact = read(body)
    except UnreadableMessage as fault:
        _dead_letter(queue, body, str(fault))
        return
    if fact:
        deliver(fact, expected=expected)


def received_in_vain(queue: str, body: bytes, read: Read) -> None:
    """Records that a message failed as often as it may, so that a person sees it."""
    try:
        fact = read(body)
    except (UnreadableMessage, Transient) as fault:
        _dead_letter(queue, body, str(fault))
        return
    if fact:
        give_up(fact)


def fact_in(body: bytes, of: type[Fact] = Fact) -> Fact:
    """A fact of our own, as the bus writes it; raises: UnreadableMessage, Transient"""
    try:
        return of.from_json(body.decode())
    except UnicodeDecodeError as cause:
        raise UnreadableMessage("it is no UTF-8") from cause


def deliver(fact: Fact, *, expected: bool = False) -> None:
    """Has the fact handled; what is raised makes the host deliver the message again.

    expected: whether the message is one of our own, and no event or clock
    A delivery that meets another one at work is dropped: that one, or the reconciler after its death, finishes it. So
    is one of a fact that has failed as often as it may, however it was delivered: it is a dead letter.
    """
    from shared import flow, wiring

    try:
        flow.handle(fact, wiring.services(), expected=expected)
    except InProgress:
        telemetry.say("deliver", "Another delivery is at it; this one is dropped.", key=fact.key)
    except GivenUp:
        give_up(fact)


def tick(fact: Fact) -> None:
    """Has what a clock says handled. What fails is logged by the host; what keeps failing is seen by a person."""
    from shared import flow, wiring

    flow.tick(fact, wiring.services())


def give_up(fact: Fact) -> None:
    """Records that a fact's step failed as often as it may, so that a person sees it."""
    from shared import wiring
    from shared.procedures.dead_letters import dead_letter

    _record(dead_letter(fact, wiring.services()))


def _dead_letter(queue: str, body: bytes, fault: str) -> None:
    about = digest(body.decode(errors="replace"))
    _record(StepDeadLettered(queue=queue, about=about, reason=f"the message could not be read: {fault}"))


def _record(dead: StepDeadLettered) -> None:
    """What the message says is not logged."""
    deliver(dead)
    telemetry.say(
        "dead_letter", f"A message of {dead.queue} was dead-lettered.", level=logging.ERROR, key=dead.about
    )
