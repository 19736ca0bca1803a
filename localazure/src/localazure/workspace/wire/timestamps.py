"""Timestamps and ISO 8601 durations, as Azure writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from localazure.workspace.wire.calls import Refusal

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?", re.I)


def now() -> str:
    """This instant, in UTC, to the microsecond: `2026-11-24T09:00:00.000000Z`."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def seconds_of(duration: str) -> float:
    """Of an ISO duration such as `PT1H30M`."""
    found = _DURATION.fullmatch(duration)
    if not found:
        raise Refusal(400, "UserError", f"{duration!r} is not a duration such as PT30M")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + seconds
