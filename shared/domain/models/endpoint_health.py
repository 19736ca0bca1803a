"""How well a deployment has answered lately: a window of looks, each a time or a fault."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

WINDOW = 60
"""Probes that are kept."""
SLOW_MS = 1000.0
"""A deployment that answers slower than this, at the 95th percentile, is warned of."""

Look = dict[str, Any]
"""`ms` of an answer that was right, or the `fault`."""


def looked(looks: Sequence[Look], look: Look) -> list[Look]:
    """The window with one look more."""
    return [*looks, look][-WINDOW:]


def summary(looks: Sequence[Look]) -> dict[str, Any]:
    """What is shown of the window; times to two digits, so that it changes only when something does.

    `fail`: the newest look found a fault; `warn`: an earlier one did, or it is slow
    """
    times = sorted(look["ms"] for look in looks if "ms" in look)
    errors = len(looks) - len(times)
    told: dict[str, Any] = {"requests": len(looks), "errors": errors}
    if times:
        told["p50_ms"] = _two_digits(median(times))
        told["p95_ms"] = _two_digits(times[math.ceil(0.95 * len(times)) - 1])
    slow = told.get("p95_ms", 0) > SLOW_MS
    failing = not looks or "fault" in looks[-1]
    return {"status": "fail" if failing else "warn" if errors or slow else "pass", **told}


def _two_digits(value: float) -> float:
    if value <= 0:
        return 0.0
    return round(value, 1 - math.floor(math.log10(value)))
