"""The run budget: whether a dataset version may have its training run now, or what has to come first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.policy import Policy

DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class PutOff:
    """Why a run has to wait, and what lifts it."""

    reason: str
    wait: timedelta | None
    """Until time alone lifts it; None: only more rows, or a person, do."""


def put_off(new_rows: int | None, begun: Sequence[datetime], now: datetime, policy: Policy) -> PutOff | None:
    """None when the run may begin.

    new_rows: that came in since the dataset's last run; None for its first run, for one that is tried again, and for one
        that drift asks for, to which however few are enough
    begun: when the dataset's runs of the last day began, as `of_the_last_day` keeps them; the oldest first
    """
    new = None if new_rows is None else max(new_rows, 0)  # a version has fewer where uploads were withdrawn
    if new is not None and new < policy.run_least_new_rows:
        return PutOff(
            reason=f"{new} rows are new since the last run, and RUN_LEAST_NEW_ROWS is {policy.run_least_new_rows}:"
            f" {policy.run_least_new_rows - new} more rows lift it, or a person who asks for a retrain",
            wait=None,
        )
    waits = [
        (wait, why) for wait, why in (_cool_down(begun, now, policy), _budget(begun, now, policy)) if wait
    ]
    if not waits:
        return None
    wait, why = max(waits)
    lifted = (now + wait).isoformat(timespec="minutes").replace("+00:00", "Z")
    return PutOff(reason=f"{why}: {lifted} lifts it, or a person who asks for a retrain", wait=wait)


def of_the_last_day(begun: Sequence[datetime], now: datetime, policy: Policy) -> list[datetime]:
    """What has to be remembered when a run begins now, which is the last of `begun`: it, for the cool-down, and no more
    of the others than the budget counts."""
    return [one for one in begun if now - one < DAY][-max(policy.runs_per_day, 1) :]


def _cool_down(begun: Sequence[datetime], now: datetime, policy: Policy) -> tuple[timedelta, str]:
    minutes = policy.run_cool_down_minutes
    passed = now - begun[-1] if begun else DAY * 365
    left = timedelta(minutes=minutes) - passed
    since = math.floor(passed.total_seconds() / 60)
    return max(
        left, timedelta(0)
    ), f"the last run began {since} min ago, and RUN_COOL_DOWN_MINUTES is {minutes}"


def _budget(begun: Sequence[datetime], now: datetime, policy: Policy) -> tuple[timedelta, str]:
    most = policy.runs_per_day
    counted = [one for one in begun if now - one < DAY]
    if not most or len(counted) < most:
        return timedelta(0), ""
    return counted[-most] + DAY - now, f"{len(counted)} runs began within a day, and RUNS_PER_DAY is {most}"
