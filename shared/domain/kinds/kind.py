"""A resource kind: its states, the fields of its values, its links, and the projections of facts that change it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Generic

from shared.domain.facts import Fact
from shared.domain.kinds.field import Part, V, parts
from shared.domain.kinds.state import State


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing of a kind is now in this state, and this is known of it."""

    kind: str
    id: str
    state: str | None = None
    """None: the state stays, only `values` are added."""
    values: dict[str, Any] = field(default_factory=dict)
    round: int | None = None
    """Which time the thing goes through its states: a higher one begins again. None: the time it is at."""
    order: int | None = None
    """Of values that are said anew without a state: the higher, the newer; what is not newer than the known is late news.
    None: they are said once, or it does not matter."""

    @staticmethod
    def order_at(moment: datetime) -> int:
        """The order of what was found out then, in microseconds since 1970."""
        return int(moment.timestamp() * 1_000_000)


@dataclass(frozen=True, kw_only=True)
class Thing(Generic[V]):
    """One thing of a kind, as far as it is known; what is not known is None."""

    id: str
    state: str
    values: V


Projection = Callable[[Any], Iterable[Change]]
"""What one fact says of the things of a kind."""


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[V]):
    """What there is of one kind: a row of the table of kinds."""

    name: str
    plural: str
    sentence: str
    id_pattern: str
    """How the id of one is written, as a regular expression that JSON Schema knows."""
    id_example: str
    states: tuple[State, ...]
    """In the order in which they may follow: a thing never goes back to one that stands before its own."""
    values: type[V]
    """What is known of one."""
    projections: Mapping[type[Fact], Projection] = field(default_factory=dict)
    """How a fact changes things of this kind."""
    links: Callable[[Thing[V]], Mapping[str, str | None]] = lambda thing: {}
    """Things of other kinds that it belongs to, or led to: their kind, and their id where there is one."""
    joins: str = ""
    """The field that holds the `traceparent` of a trace that gets one span when a thing is at its end; empty: none."""

    def state(self, name: str) -> State:
        """raises: KeyError for a name that none of them has"""
        return self.states[self._ranks[name]]

    def rank(self, state: str) -> int:
        """How far along `state` is."""
        return self._ranks[state]

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {state.name: at for at, state in enumerate(self.states)}

    @property
    def parts(self) -> tuple[Part, ...]:
        """The fields of its values."""
        return parts(self.values)

    def times(self, history: Iterable[tuple[str, str]]) -> dict[str, str]:
        """The fields that are read from the history: when a thing last came into a state."""
        entered = dict(history)
        return {name: entered[state] for name, state in self._entered if state in entered}

    @cached_property
    def _entered(self) -> tuple[tuple[str, str], ...]:
        return tuple((part.name, part.about.entered) for part in self.parts if part.about.entered)

    def changes(self, fact: Fact) -> Iterable[Change]:
        project = self.projections.get(type(fact))
        return project(fact) if project else ()
