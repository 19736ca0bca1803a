"""What a record's state means, from the table of kinds: its colour, whether it goes on, whether it is trouble."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.kinds.deployment import DEPLOYMENT
from shared.domain.kinds.state import State, Tone
from shared.kinds import BY_NAME, KINDS, STATUSES_OF

SHOWN_WITH = {
    ("quarantine", "held"): "./dev quarantine --only held",
    ("failure", "dead-lettered"): "./dev failures --only dead-lettered",
    ("dataset", "doubted"): "./dev datasets --only doubted",
    ("model", "awaiting-approval"): "./dev models --only awaiting-approval",
    ("batch", "held"): "./dev batches --only held",
}
"""What shows the records that wait for a person: of each kind, in the states that do."""
COLOURS = {Tone.OK: "green", Tone.RUN: "blue", Tone.WARN: "yellow", Tone.BAD: "red", Tone.REST: "dim"}


def _known(kind: str, name: str) -> State | None:
    """None for what only a newer app says."""
    states = BY_NAME[kind].states if kind in BY_NAME else STATUSES_OF.get(kind, ())
    return next((state for state in states if state.name == name), None)


def colour(kind: str, name: str) -> str:
    """kind: of a record, or step, health, progress"""
    state = _known(kind, name)
    return COLOURS[state.tone if state else Tone.REST]


def _of(record: Mapping[str, Any]) -> State | None:
    return _known(str(record.get("kind")), str(record.get("state")))


def is_bad(record: Mapping[str, Any]) -> bool:
    """Whether it failed: a script should stop at it, and somebody investigate."""
    state = _of(record)
    return state is not None and state.failed


def is_going(record: Mapping[str, Any]) -> bool:
    """Whether something follows by itself."""
    state = _of(record)
    return state is not None and state.tone is Tone.RUN


def goes_on(kind: str, name: str) -> bool:
    """Whether a thing in this state comes into another by itself."""
    state = _known(kind, name)
    return state is not None and (state.tone is Tone.RUN or (state.waits_for is not None and not state.final))


def is_final(record: Mapping[str, Any]) -> bool:
    state = _of(record)
    return state is not None and state.final


def waits(status: str) -> bool:
    """Whether a run's step was made, and has not begun."""
    state = _known("step", status)
    return state is not None and state.tone is Tone.REST


def going(counts: Mapping[str, Mapping[str, int]]) -> int:
    """How many records are in states from which something follows by itself. counts: by kind and state

    Deployments are not counted: they go on with their models, one of which may wait for a person.
    """
    return sum(
        counts.get(kind.name, {}).get(state.name, 0)
        for kind in KINDS
        for state in kind.states
        if state.tone is Tone.RUN and kind is not DEPLOYMENT
    )


def for_a_person(counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """How many records wait for a person, by the command that shows them. counts: by kind and state"""
    found = {command: counts.get(kind, {}).get(state, 0) for (kind, state), command in SHOWN_WITH.items()}
    return {command: number for command, number in found.items() if number}


def choices(kind: str) -> str:
    """The kind's states, for the help of a command: `due, scoring, scored or refused`."""
    *others, last = (state.name for state in BY_NAME[kind].states)
    return f"{', '.join(others)} or {last}"
