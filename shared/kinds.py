"""The resource kinds of Campanha: what there is, which states it has, and how facts change it (the projections)."""

from __future__ import annotations

from functools import cache
from typing import Any

from shared.domain.facts import FACTS, Fact
from shared.domain.kinds.alert import ALERT, DELIVERIES
from shared.domain.kinds.batch import BATCH
from shared.domain.kinds.dataset import DATASET
from shared.domain.kinds.deployment import DEPLOYMENT, HEALTH
from shared.domain.kinds.failure import FAILURE
from shared.domain.kinds.kind import Change, Kind
from shared.domain.kinds.model import MODEL
from shared.domain.kinds.operation import OPERATION, STATUSES
from shared.domain.kinds.outcome import OUTCOME
from shared.domain.kinds.quarantine import QUARANTINE
from shared.domain.kinds.release import DECISIONS
from shared.domain.kinds.run import RUN, STEP_STATUSES
from shared.domain.kinds.state import State
from shared.domain.kinds.upload import UPLOAD
from shared.domain.kinds.work import WORK
from shared.domain.names import event_type

KINDS: tuple[Kind[Any], ...] = (
    # what comes in
    UPLOAD,
    QUARANTINE,
    # what is made of it
    RUN,
    DATASET,
    MODEL,
    DEPLOYMENT,
    # what the model is for
    BATCH,
    OUTCOME,
    # what needs a person
    ALERT,
    FAILURE,
    OPERATION,
    WORK,
)
STATUSES_OF: dict[str, tuple[State, ...]] = {
    "step": STEP_STATUSES,
    "health": HEALTH,
    "decision": DECISIONS,
    "progress": STATUSES,
    "delivery": DELIVERIES,
}
"""Words that are no states of a record: they describe what it holds, or are derived from others' states."""
INDEXES = ("file", "held", "hash", "scored-by")
"""Kinds without states: a file's name (`held`: what of it lies in quarantine), a hash, a model version, and what it leads
to."""

BY_NAME: dict[str, Kind[Any]] = {kind.name: kind for kind in KINDS}
BY_PLURAL: dict[str, Kind[Any]] = {kind.plural: kind for kind in KINDS}
STATES: dict[str, tuple[str, ...]] = {kind.name: tuple(state.name for state in kind.states) for kind in KINDS}
"""The names of each kind's states, in the order in which they may follow each other."""
EVENT_TYPES: dict[str, tuple[Kind[Any], State]] = {
    event_type(kind.name, state.name): (kind, state) for kind in KINDS for state in kind.states
}
"""What events are called: one type for each state that something of a kind may come into."""


def rank(kind: str, state: str) -> int:
    """How far along `state` is; higher never goes back to lower."""
    return BY_NAME[kind].rank(state)


def changes(fact: Fact) -> list[Change]:
    """What the fact says about the state of things; nothing, for most that are only due."""
    return [change for kind in _of(type(fact).__name__) for change in kind.changes(fact)]


@cache
def _of(fact: str) -> tuple[Kind[Any], ...]:
    """The kinds that a fact of that name changes."""
    return tuple(kind for kind in KINDS if FACTS[fact] in kind.projections)
