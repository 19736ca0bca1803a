"""One ledger as several processes have it: the tables are the same, what each remembers is its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters.memory import MemoryTable
from shared.domain.facts import UploadArrived
from shared.domain.kinds.kind import Change
from shared.ledger import Ledger
from shared.ledger.event_log import Sums

LEASE = 60
Value = dict[str, Any]


@dataclass
class Processes:
    """The tables and the clock that all share."""

    time: datetime = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    past: MemoryTable = field(init=False)
    present: MemoryTable = field(init=False)

    def __post_init__(self) -> None:
        self.past, self.present = MemoryTable(now=self.now), MemoryTable(now=self.now)

    def now(self) -> datetime:
        return self.time

    def pass_time(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def ledger(self, *, past: Any = None, present: Any = None) -> Ledger:
        """As a process has it that knows nothing yet; past, present: its own way to the tables."""
        return Ledger(past or self.past, present=present or self.present, now=self.now, lease_seconds=LEASE)

    def events(self) -> list[str]:
        """The ids of all events, the oldest first."""
        return [entry.value["id"] for entry in reversed(self.ledger().events.newest(limit=10_000))]

    def done(self) -> dict[str, int]:
        return dict(+self.ledger().outbox.counted().done)

    def open(self) -> dict[str, int]:
        return {name: n for name, n in self.ledger().outbox.counted().open.items() if n}

    def waiting(self) -> set[str]:
        """The names of the uploads in the outbox that the reconciler would publish again."""
        unfinished = self.ledger().outbox.unfinished(older_than=timedelta(0))
        return {fact.name for fact, _ in unfinished if isinstance(fact, UploadArrived)}


def upload(name: str) -> UploadArrived:
    return UploadArrived(name=name, etag="1")


def arrived(id_: str, **values: Any) -> Change:
    return moved(id_, "arrived", name=id_, **values)


def moved(id_: str, state: str | None, **values: Any) -> Change:
    return Change(kind="upload", id=id_, state=state, values=values)


def made_up(*ids: str) -> list[Value]:
    """Events as they lie in the log, of which each adds one to a tally."""
    return [
        {"event": {"id": id_, "time": "2026-11-24T08:00:00.000+00:00"}, "tally": {"n": 1}, "stays": {}}
        for id_ in ids
    ]


def folded(logged: Sequence[Value]) -> Sums:
    """The sums of these events by themselves."""
    total = Sums()
    for value in logged:
        total = total.with_event(value)
    return total
