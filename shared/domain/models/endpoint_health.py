"""Endpoint health: p50, p95 and errors over a sliding window of probes, each a time or a fault."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

WINDOW = 60
"""Probes in the window."""
SLOW_MS = 1000.0
"""A deployment that answers slower than this, at the 95th percentile, is warned of."""

Probe = dict[str, Any]
"""`ms` of an answer that was right, or the `fault`."""


def with_probe(probes: Sequence[Probe], probe: Probe) -> list[Probe]:
    """The window with one probe more."""
    return [*probes, probe][-WINDOW:]


def summary(probes: Sequence[Probe]) -> dict[str, Any]:
    """What is shown of the window; times to two digits, so that it changes only when something does.

    `fail`: the newest probe found a fault; `warn`: an earlier one did, or it is slow
    """
    times = sorted(probe["ms"] for probe in probes if "ms" in probe)
    errors = len(probes) - len(times)
    shown: dict[str, Any] = {"requests": len(probes), "errors": errors}
    if times:
        shown["p50_ms"] = _two_digits(median(times))
        shown["p95_ms"] = _two_digits(times[math.ceil(0.95 * len(times)) - 1])
    slow = shown.get("p95_ms", 0) > SLOW_MS
    failing = not probes or "fault" in probes[-1]
    return {"status": "fail" if failing else "warn" if errors or slow else "pass", **shown}


def _two_digits(value: float) -> float:
    if value <= 0:
        return 0.0
    return round(value, 1 - math.floor(math.log10(value)))
