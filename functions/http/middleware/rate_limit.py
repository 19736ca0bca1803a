"""Rate limiting: a token bucket for each caller in each instance; a caller without a name is its client address."""

from __future__ import annotations

import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from starlette.types import Scope

WINDOW_SECONDS = 60
WITH_PORT = re.compile(r"([0-9.]+|\[[0-9a-fA-F:.]+\])(?::[0-9]+)?")
MOST_CALLERS = 10_000
"""Beyond so many the least recently used buckets are dropped; they are full again anyway."""


@dataclass(frozen=True)
class Allowance:
    """What a caller has left after this request."""

    granted: bool
    left: int
    seconds: int
    """Until the bucket is full again when granted, else until the next request may come; at least 1."""


@dataclass
class Limiter:
    """Requests a minute for each caller."""

    per_minute: int
    now: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, caller: str) -> Allowance:
        """Takes one request out of the caller's bucket, if there is one in it."""
        with self._lock:
            now, rate = self.now(), self.per_minute / WINDOW_SECONDS
            tokens, last = self._buckets.pop(caller, (float(self.per_minute), now))
            tokens = min(float(self.per_minute), tokens + (now - last) * rate)
            granted = tokens >= 1
            tokens -= granted
            self._buckets[caller] = (tokens, now)
            if len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
        missing = self.per_minute - tokens if granted else 1 - tokens
        return Allowance(granted, int(tokens), max(1, math.ceil(missing / rate)))

    def headers(self, allowance: Allowance) -> dict[str, str]:
        """In the form of the IETF's rate limit header fields draft."""
        return {
            "RateLimit-Policy": f'"default";q={self.per_minute};w={WINDOW_SECONDS}',
            "RateLimit": f'"default";r={allowance.left};t={allowance.seconds}',
        }


def client_address(scope: Scope, headers: Mapping[str, str], *, trusts_front: bool) -> str:
    """Where the request came from. Behind a front end: the last X-Forwarded-For entry, which that added; those before
    it are the caller's own and can be forged, as all of them can where there is no front end.

    Azure's front end adds the port too, which is another for each connection.
    """
    forwarded = headers.get("x-forwarded-for", "").rpartition(",")[2].strip() if trusts_front else ""
    if found := WITH_PORT.fullmatch(forwarded):
        return found[1].strip("[]")
    client = scope.get("client")
    return client[0] if client else "unknown"
