"""What online deployments were asked, by the minute: how many requests, how they ended, and how long they took.

Kept in memory, for a day: it goes with the process, as no other state of the workspace does.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass

KEPT_MINUTES = 24 * 60
MOST_TIMES = 1_000
"""Of a deployment's minute, whose percentiles are told: the first ones."""


@dataclass(frozen=True)
class Asked:
    """One minute of one deployment."""

    minute: int
    """Since 1970."""
    endpoint: str
    deployment: str
    statuses: dict[int, int]
    milliseconds: list[float]

    def percentile(self, of_100: int) -> float:
        """0 where no request was answered."""
        times = sorted(self.milliseconds)
        return times[max(math.ceil(of_100 / 100 * len(times)) - 1, 0)] if times else 0.0


class RequestCounts:
    """Counted as requests end; several threads may."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minutes: deque[Asked] = deque()

    def count(self, endpoint: str, deployment: str, status: int, milliseconds: float) -> None:
        minute = int(time.time() // 60)
        with self._lock:
            asked = self._at(minute, endpoint, deployment)
            asked.statuses[status] = asked.statuses.get(status, 0) + 1
            if len(asked.milliseconds) < MOST_TIMES:
                asked.milliseconds.append(milliseconds)

    def of(self, endpoint: str, first: int, last: int) -> list[Asked]:
        """Of the minutes from `first` to `last`, both included; copied, as they go on."""
        with self._lock:
            return [
                Asked(one.minute, one.endpoint, one.deployment, dict(one.statuses), list(one.milliseconds))
                for one in self._minutes
                if one.endpoint == endpoint and first <= one.minute <= last
            ]

    def _at(self, minute: int, endpoint: str, deployment: str) -> Asked:
        while self._minutes and self._minutes[0].minute <= minute - KEPT_MINUTES:
            self._minutes.popleft()
        for one in reversed(self._minutes):
            if one.minute != minute:
                break
            if (one.endpoint, one.deployment) == (endpoint, deployment):
                return one
        self._minutes.append(Asked(minute, endpoint, deployment, {}, []))
        return self._minutes[-1]
