"""Retry-After: how long to wait before asking again: as long as such a thing usually takes, less what it has taken."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from shared.kinds import BY_NAME
from shared.ledger import Record

LONGEST = 60
UNKNOWN = 5
"""Seconds, when nothing like it was ever finished."""


def is_finished(record: Record) -> bool:
    return BY_NAME[record.kind].state(record.state).final


def retry_after(record: Record, averages: Mapping[str, float], now: datetime) -> int | None:
    """Seconds after which it is worth asking again; None when there is nothing to wait for.

    averages: how long records usually stay in a state, in seconds, by `kind/state`
    """
    if is_finished(record):
        return None
    eta = record.values.get("eta_seconds")
    if eta:
        return _bounded(eta)
    stayed = (now - datetime.fromisoformat(record.values["history"][-1][1])).total_seconds()
    usual = averages.get(f"{record.kind}/{record.state}")
    if usual is None:
        return UNKNOWN
    return _bounded(usual - stayed if stayed < usual else stayed / 10)


def _bounded(seconds: float) -> int:
    return max(1, min(LONGEST, math.ceil(seconds)))
