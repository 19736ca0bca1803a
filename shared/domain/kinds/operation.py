"""The kind `operation`: an action that was accepted (202); its progress is derived from what it led to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain import names
from shared.domain.facts import OperationRequested
from shared.domain.kinds.field import internal, public
from shared.domain.kinds.kind import Change, Kind
from shared.domain.kinds.state import State, Tone

STATUSES = (
    State(name="NotStarted", tone=Tone.RUN, word="not started", sentence="is not begun yet"),
    State(name="Running", tone=Tone.RUN, word="running", sentence="is under way"),
    State(name="Succeeded", tone=Tone.OK, word="succeeded", sentence="is done", final=True),
    State(name="Failed", tone=Tone.BAD, word="failed", sentence="could not be done", final=True),
)
"""How far an operation is, in Azure's words.

source: Azure REST API guidelines, long-running operations"""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What is known of an operation."""

    action: str = public("What was asked for, in words.", example="promote bank:3")
    by: str = public("Who asked.", example="key:operator")
    target: list[str] | None = internal("Kind and id of the record that shows how far it is.")
    file: str | None = internal(
        "The name of the file in `scoring` that no record shows before a clock found it."
    )
    fact: str | None = internal("The fact whose outcome shows how far it is, when no record does.")


def _requested(fact: OperationRequested) -> Iterable[Change]:
    kind_and_id, file = (fact.target or [])[:2], (fact.target or [])[2:]
    values = {"action": fact.action, "by": fact.by, "target": kind_and_id or None}
    values |= {"fact": fact.facts[0] if fact.facts else None}
    values |= {"file": file[0]} if file else {}
    yield Change(kind="operation", id=fact.operation, state="requested", values=values)


OPERATION = Kind(
    name="operation",
    plural="operations",
    sentence="What an operator asked for.",
    id_pattern=names.DIGEST,
    id_example="6f3c1d0f2a8b4a5f9c0d1e2f3a4b5c6d",
    states=(State(name="requested", tone=Tone.REST, sentence="was requested", final=True),),
    values=Operation,
    projections={OperationRequested: _requested},
)
