"""A world in which people are told: a clock that ticks each minute, contracts that expect files, channels that listen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flow.world import CONTRACTS, World

from shared import flow
from shared.domain.alert_message import AlertMessage
from shared.domain.expectations import expectations
from shared.domain.facts import ReconcileDue, ScoringDue
from shared.domain.tables.contract import Contract
from shared.errors import CampanhaError
from shared.ledger import Record
from shared.services import Services

MONDAY = datetime(2026, 11, 30, 7, 50, tzinfo=UTC)
"""In Lisbon the clock says the same."""
BY_EIGHT: dict[str, Any] = {"time_zone": "Europe/Lisbon", "files": {"by": "08:00"}}


def expecting(body: dict[str, Any], dataset: str = "bank") -> tuple[Contract, ...]:
    return tuple(
        replace(one, expects=expectations(body)) if one.dataset == dataset else one for one in CONTRACTS
    )


@dataclass
class Channel:
    """A channel that keeps what it is told, and fails as the test says."""

    name: str = "on-call"
    heard: list[AlertMessage] = field(default_factory=list)
    problems: list[CampanhaError] = field(default_factory=list)
    """Of the next tries."""
    tries: int = 0
    closes_incidents: bool = False

    def send(self, message: AlertMessage) -> None:
        self.tries += 1
        if self.problems:
            raise self.problems.pop(0)
        self.heard.append(message)

    @property
    def said(self) -> list[tuple[str, bool]]:
        return [(message.name, message.over) for message in self.heard]


class Watched(World):
    """A world with channels."""

    channels: Sequence[Any] = ()

    @property
    def services(self) -> Services:
        return replace(super().services, alert_channels=self.channels, public_url="https://campanha.example")

    def minute(self, *ticks: type[ReconcileDue] | type[ScoringDue]) -> None:
        """The clocks tick, and what comes of it in a minute; the clock stands at the next minute then."""
        ends = self.time + timedelta(minutes=1)
        for tick in ticks or (ReconcileDue,):
            flow.tick(tick(tick=f"{self.time}"), self.services)
            self._take()
        self.until(ends)

    def until(self, ends: datetime) -> None:
        """What is due by then is delivered."""
        self.tell(within=(ends - self.time).total_seconds() - 0.001)
        self.time = ends

    def minutes(self, count: int) -> None:
        for _ in range(count):
            self.minute()

    def _take(self) -> None:
        taken = self.bus.take()
        self.published |= {fact.key for fact in taken}
        self.due += [(self.time + timedelta(seconds=fact.delay_seconds), fact) for fact in taken]

    def alerts(self, state: str = "raised") -> list[Record]:
        return [one for one in self.ledger.newest("alert", limit=200) if one.state == state]


def waking(body: dict[str, Any] = BY_EIGHT, *, at: datetime = MONDAY, channels: int = 1) -> Watched:
    """A world that expects files, some minutes before the hour."""
    world = Watched(contracts=expecting(body), time=at)
    world.channels = [Channel(name=f"channel-{n}" if n else "on-call") for n in range(channels)]
    return world
