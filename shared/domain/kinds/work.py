"""The kind `work`: a pause of all work that begins something new, from its request until work was resumed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain import names
from shared.domain.facts import WorkPaused
from shared.domain.kinds.field import public
from shared.domain.kinds.kind import Change, Kind
from shared.domain.kinds.state import State, Tone


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is known of a pause."""

    paused_by: str = public("Who paused work.", example="key:operator")
    paused_because: str | None = public("The reason given.", example="month end")
    resumed_by: str | None = public("Who let it go on.", example="key:operator")
    resumed_because: str | None = public("The reason given then.", example="month end is over")


def _paused(fact: WorkPaused) -> Iterable[Change]:
    values = {"paused_by": fact.by, "paused_because": fact.reason or None}
    yield Change(kind="work", id=fact.operation, state="paused", values=values)


WORK = Kind(
    name="work",
    plural="work",
    sentence="A pause of all work that begins something new.",
    id_pattern=names.DIGEST,
    id_example="6f3c1d0f2a8b4a5f9c0d1e2f3a4b5c6d",
    states=(
        State(name="paused", tone=Tone.WARN, sentence="is paused", final=True),
        State(name="resumed", tone=Tone.REST, sentence="goes on", final=True),
    ),
    values=Work,
    projections={WorkPaused: _paused},
)
