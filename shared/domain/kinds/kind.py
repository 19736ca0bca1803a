"""The building blocks of a resource kind: states, fields with their meaning, and projections of facts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, NewType, TypeVar

from shared.domain.facts import Fact

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Moment = NewType("Moment", str)
"""A point in time: RFC 3339, UTC."""
ABOUT = "about"
"""The key under which a dataclass field carries its `About`."""


class Tone(StrEnum):
    """What a state asks of whoever looks."""

    OK = "ok"
    """As it should be."""
    RUN = "run"
    """Under way: something follows by itself."""
    WARN = "warn"
    """Not as it was meant; worth a look."""
    BAD = "bad"
    """It came to nothing, or a person is needed."""
    REST = "rest"
    """Nothing to do, and nothing to be said."""


@dataclass(frozen=True, kw_only=True)
class State:
    """One state of a kind, or one word of a closed vocabulary."""

    name: str
    tone: Tone
    sentence: str
    """What a line says after the name of the thing: `may.csv` *fits its contract*."""
    word: str = ""
    """What a badge says, where that is not the name with spaces for its dashes."""
    final: bool = False
    """Nothing follows by itself: whoever polls can stop."""
    needs_person: bool = False
    """Nothing follows before somebody has decided."""

    @property
    def label(self) -> str:
        return self.word or self.name.replace("-", " ")

    @property
    def failed(self) -> bool:
        """Whether what leads here did not come to what it was meant for."""
        return self.tone in (Tone.WARN, Tone.BAD)

    @property
    def succeeded(self) -> bool:
        return self.final and not self.failed


def named(states: Iterable[State], name: str) -> State:
    """raises: KeyError for a name that none of them has"""
    found = next((state for state in states if state.name == name), None)
    if found is None:
        raise KeyError(name)
    return found


@dataclass(frozen=True, kw_only=True)
class About:
    """What is to be said of a field."""

    sentence: str
    example: Any = None
    unit: str = ""
    least: int | None = None
    most: int | None = None
    one_of: tuple[State, ...] = ()
    """The closed vocabulary its value is of."""
    entered: str = ""
    """The state whose newest entry in the history is the value: such a field is not kept, but read from there."""
    public: bool = True


def public(
    sentence: str,
    *,
    example: Any = None,
    unit: str = "",
    least: int | None = None,
    most: int | None = None,
    one_of: tuple[State, ...] = (),
    entered: str = "",
) -> Any:
    """A field that the API, and events, show. example: none is needed for what is made of fields that have theirs"""
    about = About(
        sentence=sentence, example=example, unit=unit, least=least, most=most, one_of=one_of, entered=entered
    )
    return field(metadata={ABOUT: about})


def internal(sentence: str) -> Any:
    """A field that only the product itself reads."""
    return field(metadata={ABOUT: About(sentence=sentence, public=False)})


def about(of: dataclasses.Field[Any]) -> About:
    """raises: KeyError for a field that is neither `public` nor `internal`"""
    found: About = of.metadata[ABOUT]
    return found


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


V = TypeVar("V", bound="DataclassInstance")


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
    states: tuple[State, ...]
    """In the order in which they may follow: a thing never goes back to one that stands before its own."""
    values: type[V]
    """A frozen dataclass: each field is `public` or `internal`; one whose type does not admit None is always known."""
    projections: Mapping[type[Fact], Projection] = field(default_factory=dict)
    """How a fact changes things of this kind."""
    links: Callable[[Thing[V]], Mapping[str, str | None]] = lambda thing: {}
    """Things of other kinds that it belongs to, or led to: their kind, and their id where there is one."""

    def state(self, name: str) -> State:
        return named(self.states, name)

    def rank(self, state: str) -> int:
        """How far along `state` is."""
        return self.states.index(self.state(state))

    @property
    def fields(self) -> tuple[dataclasses.Field[Any], ...]:
        return dataclasses.fields(self.values)

    @property
    def public(self) -> frozenset[str]:
        """The names of the fields that the API, and events, show."""
        return frozenset(each.name for each in self.fields if about(each).public)

    def changes(self, fact: Fact) -> Iterable[Change]:
        project = self.projections.get(type(fact))
        return project(fact) if project else ()
