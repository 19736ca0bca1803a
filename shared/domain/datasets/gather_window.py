"""When a burst of uploads is over: the window closes on quiet, on age, or on size."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.domain.policy import Policy


def remaining(gathered: Sequence[datetime], now: datetime, policy: Policy, *, more_coming: bool) -> timedelta:
    """How long the window stays open; zero or less means it is closed.

    gathered: when each upload joined the window, in any order, at least one
    more_coming: whether uploads are being admitted right now; the window waits for them, up to its longest wait
    """
    if len(gathered) >= policy.gather_most_files:
        return timedelta(0)
    longest = min(gathered) + timedelta(seconds=policy.gather_longest_seconds) - now
    quiet = max(gathered) + timedelta(seconds=policy.gather_quiet_seconds) - now
    if more_coming:
        quiet = max(quiet, timedelta(seconds=1))
    return min(longest, quiet)
