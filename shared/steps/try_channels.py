"""Test message: one through every alert channel, on demand, and what came of it in each."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

from shared.domain.alert_message import AlertMessage, link
from shared.domain.alerts import TEST
from shared.domain.facts import AlertDeliveryDue, AlertTestRequested, Fact
from shared.domain.kinds.alert import Delivery
from shared.domain.kinds.kind import Change
from shared.errors import Conflict, Refused, Transient
from shared.ports import AlertChannel
from shared.procedures.alert_cursor import ALERT_CURSOR
from shared.services import Services

NO_CHANNEL = "no alert channel is set up: see ALERT_CHANNELS in docs/alerts.md"


def try_channels(fact: AlertTestRequested, services: Services) -> Iterable[Fact | Change]:
    channels = services.alert_channels
    if not channels:
        return [Change(kind="alert", id=fact.alert, state="failed", values={"reason": NO_CHANNEL})]
    test = AlertMessage(
        alert=fact.alert, name=TEST, over=False, severity="ticket", title="A test message",
        says=f"{fact.by} tries the alert channels; nothing is the matter",
        since=services.now().isoformat(timespec="milliseconds"), link=link(services.public_url, fact.alert, None),
    )  # fmt: skip
    with ThreadPoolExecutor(max_workers=len(channels), thread_name_prefix="alert-channel") as pool:
        deliveries = list(pool.map(lambda channel: _tried(channel, test, services), channels))
    failed = [f"{one.channel}: {one.problem}" for one in deliveries if one.problem]
    values = {"deliveries": [asdict(one) for one in deliveries], "reason": "; ".join(failed) or None}
    return [
        Change(kind="alert", id=fact.alert, state="failed" if failed else "over", values=values),
        AlertDeliveryDue(tick=fact.operation),
    ]


def _tried(channel: AlertChannel, test: AlertMessage, services: Services) -> Delivery:
    try:
        channel.send(test)
        if channel.closes_incidents:
            channel.send(replace(test, over=True))
    except (Transient, Refused) as problem:
        return Delivery(channel=channel.name, outcome="failed", problem=str(problem)[:300])
    _works_again(channel, services)
    return Delivery(channel=channel.name, outcome="delivered", problem=None)


def _works_again(channel: AlertChannel, services: Services) -> None:
    """What waits for a channel that failed is tried at once."""
    cursor = services.ledger.documents.read(ALERT_CURSOR, channel.name)
    if cursor is None or not cursor.value.failures:
        return
    mended = replace(cursor.value, failures=0, failing_since=None, problem="", not_before=None)
    try:
        services.ledger.documents.write(ALERT_CURSOR, channel.name, mended, over=cursor)
    except Conflict:
        return  # another worker tells through it, and knows better
