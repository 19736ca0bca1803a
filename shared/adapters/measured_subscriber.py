"""A subscriber whose deliveries are counted, whatever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared import telemetry
from shared.errors import Busy, Gone, Refused, Transient
from shared.ports import Subscriber
from shared.telemetry.metrics import DELIVERIES, Measurement


@dataclass(frozen=True)
class MeasuredSubscriber:
    """Passes all on."""

    subscriber: Subscriber

    @property
    def name(self) -> str:
        return self.subscriber.name

    @property
    def consents(self) -> bool:
        return self.subscriber.consents

    def handshake(self) -> int | None:
        return self.subscriber.handshake()

    def deliver(self, events: Sequence[dict[str, Any]]) -> int:
        try:
            taken = self.subscriber.deliver(events)
        except Busy as problem:
            _count("taken", problem.taken)
            _count("failed")
            raise
        except Transient:
            _count("failed")
            raise
        except (Refused, Gone):
            _count("refused")
            raise
        _count("taken", taken)
        return taken


def _count(outcome: str, events: int = 1) -> None:
    if events:
        telemetry.measure(Measurement(metric=DELIVERIES, value=events, attributes={"outcome": outcome}))
