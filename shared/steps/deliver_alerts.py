"""Alert delivery: each alert to every channel, once when it is raised and once when it is over, however often it takes.

Each channel has a cursor along the list of alerts, not of events: no backlog of anything else is in the way. It is moved
after each message, so a crash repeats one at most. No alert is ever given up: where a channel does not take one, the next
try comes after 10 s, then after 20, and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.alert_message import message
from shared.domain.facts import AlertDeliveryDue, Fact
from shared.errors import Conflict, Refused, Transient
from shared.ledger import Listed, Versioned
from shared.ports import AlertChannel
from shared.procedures.alert_cursor import ALERT_CURSOR, AlertCursor
from shared.services import Services

AT_ONCE = 20
"""Messages of a channel in one go, or"""
LONGEST = timedelta(seconds=50)
"""as many as are taken in so long; a mail server may take as long again for one."""
LEASE = timedelta(seconds=120)
"""How long one worker has a channel to itself: longer than both together."""
SHORTEST_WAIT, LONGEST_WAIT = 10, 600
"""Seconds between tries, twice as long each time."""
RAISED = "raised"

Kept = Versioned[AlertCursor]


def deliver_alerts(fact: AlertDeliveryDue, services: Services) -> Iterable[Fact]:
    """All channels at once: one that hangs holds up no other."""
    channels = services.alert_channels
    if not channels:
        return
    count = services.ledger.records.count("alert")
    with ThreadPoolExecutor(max_workers=len(channels), thread_name_prefix="alert-channel") as pool:
        waits = list(pool.map(lambda one: _deliver(one, count, services), channels))
    _forget_others(channels, services)
    due = [wait for wait in waits if wait is not None]
    if due:
        tick = f"{fact.tick.partition('/')[0]}/{count}/{services.now().timestamp():.0f}"
        yield AlertDeliveryDue(tick=tick, wait_seconds=min(due))


def _deliver(channel: AlertChannel, count: int, services: Services) -> int | None:
    """Seconds until the channel is tried again, where it has to be before anything else happens."""
    try:
        cursor = _cursor(channel, count, services)
        if not _is_due(cursor.value, services.now()):
            return None
        due = _due(cursor.value, count, services)
        if not due:
            return None
        until = (services.now() + LEASE).isoformat()
        cursor = _moved(channel, cursor, services, until=until)
        return _told(channel, cursor, due, services)
    except Conflict:
        return None  # another worker is at it


def _cursor(channel: AlertChannel, count: int, services: Services) -> Kept:
    """A new channel hears of what is raised now, and of nothing that is past."""
    known = services.ledger.documents.read(ALERT_CURSOR, channel.name)
    if known is not None:
        return known
    raised = services.ledger.present().causes.alerts
    begun = AlertCursor(next=count, owed=sorted(at for at in raised.values() if at < count))
    return services.ledger.documents.write(ALERT_CURSOR, channel.name, begun, over=None)


def _is_due(cursor: AlertCursor, now: datetime) -> bool:
    return all(at is None or datetime.fromisoformat(at) <= now for at in (cursor.until, cursor.not_before))


def _due(cursor: AlertCursor, count: int, services: Services) -> list[Listed]:
    """Alerts with something to tell, the oldest first."""
    numbers = sorted({*cursor.owed, *cursor.told, *range(cursor.next, min(count, cursor.next + AT_ONCE))})
    found = services.ledger.records.at("alert", numbers) if numbers else {}
    return [found[at] for at in numbers if at in found and _has_news(found[at], cursor)]


def _has_news(alert: Listed, cursor: AlertCursor) -> bool:
    return alert.number not in cursor.told or alert.record.state == "over"


def _told(channel: AlertChannel, cursor: Kept, due: list[Listed], services: Services) -> int | None:
    ends, left = services.now() + LONGEST, len(due)
    for alert in due[:AT_ONCE]:
        if services.now() > ends:
            break
        for over in _news(alert, cursor.value):
            said = message(alert.record.id, alert.record.values, over=over, public_url=services.public_url)
            try:
                channel.send(said)
            except (Transient, Refused) as problem:
                return _backed_off(channel, cursor, problem, services)
            after = _after(cursor.value, alert.number, over=over, services=services)
            cursor = _moved(channel, cursor, services, **after)
        if not _was_raised(alert):  # a test, which its own step sends
            cursor = _moved(channel, cursor, services, **_passed(cursor.value, alert.number))
        left -= 1
    _moved(channel, cursor, services, until=None)
    return 0 if left else None


def _news(alert: Listed, cursor: AlertCursor) -> Iterator[bool]:
    """What is to be told of it, in order: False for its beginning, True for its end."""
    if not _was_raised(alert):
        return
    if alert.number not in cursor.told:
        yield False
    if alert.record.state == "over":
        yield True


def _was_raised(alert: Listed) -> bool:
    return any(state == RAISED for state, _ in alert.record.values["history"])


def _passed(cursor: AlertCursor, number: int) -> dict[str, Any]:
    return {"next": max(cursor.next, number + 1), "owed": [at for at in cursor.owed if at != number]}


def _after(cursor: AlertCursor, number: int, *, over: bool, services: Services) -> dict[str, Any]:
    """The cursor's values once a message was taken."""
    others = [at for at in cursor.told if at != number]
    return {
        **_passed(cursor, number),
        "told": others if over else [*others, number],
        "failures": 0,
        "failing_since": None,
        "problem": "",
        "not_before": None,
        "delivered": services.now().isoformat(timespec="milliseconds"),
    }


def _backed_off(channel: AlertChannel, cursor: Kept, problem: Exception, services: Services) -> int:
    failures, now = cursor.value.failures + 1, services.now()
    wait = min(LONGEST_WAIT, SHORTEST_WAIT << min(failures - 1, 10))
    _moved(
        channel, cursor, services, failures=failures, problem=str(problem)[:300], until=None,
        failing_since=cursor.value.failing_since or now.isoformat(timespec="milliseconds"),
        not_before=(now + timedelta(seconds=wait)).isoformat(),
    )  # fmt: skip
    return wait


def _moved(channel: AlertChannel, cursor: Kept, services: Services, **changed: Any) -> Kept:
    moved = replace(cursor.value, **changed)
    return services.ledger.documents.write(ALERT_CURSOR, channel.name, moved, over=cursor)


def _forget_others(channels: Iterable[AlertChannel], services: Services) -> None:
    """Cursors of channels that the settings have no more: nobody waits for them to work again."""
    names = {channel.name for channel in channels}
    key = ALERT_CURSOR.row_key("")
    for cursor in services.ledger.documents.read_all(ALERT_CURSOR):
        if cursor.row.row.removeprefix(key) not in names:
            services.ledger.documents.delete(ALERT_CURSOR, cursor)
