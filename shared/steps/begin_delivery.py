"""An alert was raised, or is over: its delivery is due, whichever worker has recorded it."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import AlertDeliveryDue, AlertOver, AlertRaised, Fact
from shared.services import Services


def begin_delivery(fact: AlertRaised | AlertOver, services: Services) -> Iterable[Fact]:
    """The clock that found it delivers at once; this is for when another worker was the quicker to record it."""
    return [AlertDeliveryDue(tick=fact.key)] if services.alert_channels else []
