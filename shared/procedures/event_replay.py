"""A span of the event history, read from the log to be told once more: its events are those of then, ids and all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.ledger import Entry, Ledger

PAGE = 100
"""Events read at once."""


class Span(Protocol):
    """What of the history is meant; the facts of a replay say it."""

    @property
    def end(self) -> int:
        """The number behind the last event in the log."""

    @property
    def since(self) -> str: ...

    @property
    def until(self) -> str: ...

    @property
    def type(self) -> str:
        """Only events whose type begins so; empty: all."""


@dataclass(frozen=True)
class Read:
    """A stretch of the log: its events that are meant, and the number from which reading goes on."""

    events: list[Entry]
    next: int


def stretches(span: Span, begin: int, ledger: Ledger) -> Iterator[Read]:
    """The span from this number in the log on, the oldest first; costs a read for each `PAGE` of it."""
    since, until = datetime.fromisoformat(span.since), datetime.fromisoformat(span.until)
    while begin < span.end:
        found = ledger.events.following(begin, limit=min(PAGE, span.end - begin))
        if not found:
            return
        begin = found[-1].number + 1
        yield Read([event for event in found if _is_meant(event, since, until, span.type)], begin)


def _is_meant(event: Entry, since: datetime, until: datetime, type_: str) -> bool:
    happened = datetime.fromisoformat(event.value["time"])
    return since <= happened < until and event.value["type"].startswith(type_)
