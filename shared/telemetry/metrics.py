"""The metrics: a table of few, each with few values of its attributes, and what facts add to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.domain import facts as f
from shared.domain.facts import FACTS, Fact
from shared.ledger.outbox import FENCE_WAIT, FOUND_OPEN, LOST_RACE


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """By what a metric is told apart."""

    name: str
    sentence: str
    values: frozenset[str] | None = None
    """All there are; None: as many as the sentence says, which are few and named by the deployment."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One row of the table."""

    name: str
    unit: str
    """As UCUM writes it, with what is counted in braces."""
    instrument: Literal["counter", "histogram"]
    sentence: str
    attributes: tuple[Attribute, ...] = ()


def _outcome(*values: str) -> Attribute:
    return Attribute(name="outcome", sentence="What came of it.", values=frozenset(values))


QUEUES = frozenset({"steps", "shards", "blob-events", "run-events", "reconcile", "clock", "subscriber"})
_STEP = Attribute(name="step", sentence="The step of the flow table.")
_TYPE = Attribute(name="type", sentence="The fact.", values=frozenset(FACTS))
_FOUND = Attribute(
    name="type",
    sentence=f"The fact; `{FOUND_OPEN}`: a file whose event had come.",
    values=frozenset({*FACTS, FOUND_OPEN}),
)
_QUEUE = Attribute(name="queue", sentence="Where the message was, or who gave up.", values=QUEUES)
_DATASET = Attribute(
    name="dataset", sentence="The dataset, one for each data contract; `none` where none fits."
)

FACTS_DONE = Metric(
    name="campanha.facts",
    unit="{fact}",
    instrument="counter",
    sentence="Attempts at facts: `done` once for each fact, `failed` for each attempt in vain.",
    attributes=(_TYPE, _outcome("done", "failed")),
)
STEP_DURATION = Metric(
    name="campanha.step.duration",
    unit="s",
    instrument="histogram",
    sentence="How long an attempt at a step took.",
    attributes=(_STEP, _outcome("done", "failed")),
)
QUEUE_TIME = Metric(
    name="campanha.queue.time",
    unit="s",
    instrument="histogram",
    sentence="From the time a message could be taken from its queue until it was taken.",
    attributes=(_QUEUE,),
)
ROWS = Metric(
    name="campanha.rows",
    unit="{row}",
    instrument="counter",
    sentence="Rows of uploads.",
    attributes=(_DATASET, _outcome("admitted", "quarantined")),
)
BATCH_ROWS = Metric(
    name="campanha.batch.rows",
    unit="{row}",
    instrument="counter",
    sentence="Rows of sealed batches.",
    attributes=(_outcome("scored", "rejected"),),
)
RELEASES = Metric(
    name="campanha.releases",
    unit="{release}",
    instrument="counter",
    sentence="Releases that came to an end, or to a person.",
    attributes=(_outcome("released", "held", "rolled-back", "not-possible"),),
)
DEAD_LETTERS = Metric(
    name="campanha.dead_letters",
    unit="{message}",
    instrument="counter",
    sentence="Facts and messages that were given up, and wait for a person.",
    attributes=(_QUEUE,),
)
REPAIRS = Metric(
    name="campanha.repairs",
    unit="{fact}",
    instrument="counter",
    sentence="Facts that the reconciler found due: an event was lost, a message was, or a worker died.",
    attributes=(_FOUND,),
)
LOST_RACES = Metric(
    name="campanha.lost_races",
    unit="{write}",
    instrument="counter",
    sentence="Writes that were put together anew, since another worker was quicker.",
)
FENCE_WAITS = Metric(
    name="campanha.fence_waits",
    unit="{submission}",
    instrument="counter",
    sentence="Submissions without an answer, which nobody repeats before the fence has passed.",
)
MENDED = {LOST_RACE: LOST_RACES, FENCE_WAIT: FENCE_WAITS}
"""By what the ledger counts them as; whatever else it counts is a repair."""
DELIVERIES = Metric(
    name="campanha.deliveries",
    unit="{event}",
    instrument="counter",
    sentence="Events that subscribers took; a request that was not taken counts once.",
    attributes=(_outcome("taken", "failed", "refused"),),
)
METRICS = (
    FACTS_DONE, STEP_DURATION, QUEUE_TIME, ROWS, BATCH_ROWS, RELEASES, DEAD_LETTERS, REPAIRS, LOST_RACES,
    FENCE_WAITS, DELIVERIES,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One number of a metric."""

    metric: Metric
    value: float = 1
    attributes: Mapping[str, str] = field(default_factory=dict)


def queue_of(text: str) -> str:
    """The queue of a dead letter as its metric knows it: a subscriber's, or a clock's, without its name."""
    return text.partition(" ")[0]


def _rows(fact: f.UploadAdmitted) -> Iterator[Measurement]:
    yield Measurement(
        metric=ROWS, value=fact.rows, attributes={"dataset": fact.dataset, "outcome": "admitted"}
    )
    yield _quarantined(fact)


def _quarantined(fact: f.UploadAdmitted | f.UploadRejected) -> Measurement:
    attributes = {"dataset": fact.dataset or "none", "outcome": "quarantined"}
    return Measurement(metric=ROWS, value=fact.rejected, attributes=attributes)


def _batch_rows(fact: f.BatchScored) -> Iterator[Measurement]:
    yield Measurement(metric=BATCH_ROWS, value=fact.rows - fact.rejected, attributes={"outcome": "scored"})
    yield Measurement(metric=BATCH_ROWS, value=fact.rejected, attributes={"outcome": "rejected"})


def _release(outcome: str) -> Callable[[Any], Iterable[Measurement]]:
    return lambda _: [Measurement(metric=RELEASES, attributes={"outcome": outcome})]


def _dead(fact: f.StepDeadLettered) -> Iterable[Measurement]:
    return [Measurement(metric=DEAD_LETTERS, attributes={"queue": queue_of(fact.queue)})]


OF_FACTS: dict[type[Fact], Callable[[Any], Iterable[Measurement]]] = {
    f.UploadAdmitted: _rows,
    f.UploadRejected: lambda fact: [_quarantined(fact)],
    f.BatchScored: _batch_rows,
    f.ModelReleased: _release("released"),
    f.ReleaseHeld: _release("held"),
    f.ReleaseRolledBack: _release("rolled-back"),
    f.ReleaseNotPossible: _release("not-possible"),
    f.StepDeadLettered: _dead,
}
"""What a fact adds when it has happened."""
