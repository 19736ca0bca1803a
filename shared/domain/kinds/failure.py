"""The kind `failure`: a step that failed as often as it may (a dead letter), until a person had it tried again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain import names
from shared.domain.facts import ClockRecovered, RetryRequested, StepDeadLettered
from shared.domain.kinds.field import public
from shared.domain.kinds.kind import Change, Kind
from shared.domain.kinds.state import State, Tone


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A dead letter: the values of a step that failed as often as it may."""

    queue: str = public("The queue whose message was dead-lettered.", example="steps")
    about: str = public(
        "The key of the fact whose step failed, or the message.",
        example="batch/clients.csv/0x8DD5A3B1C2D4E5F",
    )
    reason: str = public("The last error.", example="Transient: the workspace does not respond")
    message: str | None = public(
        "The message that could not be read, its first 1,000 characters.", example='{"subject": "may.csv"}'
    )


def _dead_lettered(fact: StepDeadLettered) -> Iterable[Change]:
    values = {"queue": fact.queue, "about": fact.about, "reason": fact.reason}
    values |= {"message": fact.message} if fact.message else {}
    yield Change(kind="failure", id=names.digest(fact.key), state="dead-lettered", values=values)


def _retried(fact: RetryRequested) -> Iterable[Change]:
    yield Change(kind="failure", id=fact.failure, state="retried")


def _recovered(fact: ClockRecovered) -> Iterable[Change]:
    yield Change(kind="failure", id=names.digest(fact.dead_letter), state="resolved")


FAILURE = Kind(
    name="failure",
    plural="failures",
    sentence="A step that failed as often as it may.",
    id_pattern=names.DIGEST,
    id_example="6f3c1d0f2a8b4a5f9c0d1e2f3a4b5c6d",
    states=(
        State(
            name="dead-lettered",
            tone=Tone.BAD,
            word="dead-lettered",
            sentence="was dead-lettered: a person is needed",
            final=True,
            needs_person=True,
        ),
        # what fails again is a failure of its own, so nothing is sure to follow
        State(name="retried", tone=Tone.REST, word="tried again", sentence="is tried again", final=True),
        State(name="resolved", tone=Tone.OK, sentence="is resolved", final=True),
    ),
    values=Failure,
    projections={
        StepDeadLettered: _dead_lettered,
        RetryRequested: _retried,
        ClockRecovered: _recovered,
    },
)
