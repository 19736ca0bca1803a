"""What is the matter, whether people can be told of it, and whether what is expected has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from functions.http.views.records import shown
from shared.domain.tables.contract import Contract
from shared.ledger import Present
from shared.procedures.alert_cursor import ALERT_CURSOR, AlertCursor, notifier_status
from shared.procedures.conditions import ALL, FIRST_SEEN, FirstSeen, freshness
from shared.services import Services

Json = dict[str, Any]
MOST_OPEN = 50


def open_alerts(present: Present, services: Services) -> list[Json]:
    """The newest first; one read, and none where nothing is the matter."""
    newest = sorted(present.causes.alerts.values(), reverse=True)[:MOST_OPEN]
    found = services.ledger.records.at("alert", newest) if newest else {}
    return [shown(found[number].record) for number in newest if number in found]


def notifier(present: Present) -> Json:
    """By the cursors that the channels' workers keep: the API itself need not know their addresses."""
    cursors = present.each(ALERT_CURSOR)
    return {
        "status": notifier_status(cursors),
        "channels": [_channel(name, cursor) for name, cursor in sorted(cursors.items())],
    }


def _channel(name: str, cursor: AlertCursor) -> Json:
    known = {
        "deliveredAt": cursor.delivered,
        "failingStartedAt": cursor.failing_since,
        "problem": cursor.problem or None,
    }
    return {
        "name": name,
        "status": "fail" if cursor.failing else "warn" if cursor.failures else "pass",
        **{field: value for field, value in known.items() if value is not None},
    }


def dataset_freshness(contract: Contract, present: Present, now: datetime) -> list[Json]:
    seen = present.document(FIRST_SEEN, ALL) or FirstSeen()
    return [
        {
            "what": one.what,
            "state": "late" if one.late else "on-time",
            "dueAt": one.due.isoformat(timespec="milliseconds"),
            "rule": one.rule,
            **({"lastAt": one.last} if one.last else {}),
        }
        for one in freshness(contract, present, seen, now)
    ]
