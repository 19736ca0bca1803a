"""Watching a new model under a share of the traffic: how the traffic is split, and which alarms roll the release back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from shared.domain.lists.list_drift import chance
from shared.domain.models.endpoint_health import Probe

TENTHS = 10
"""Of the serving model's scores: the groups in which both models' are counted."""

LEAST_TIMED = 30
"""Answers of each that a comparison of times needs: with fewer one slow answer decides."""
BELOW_NOTICE_MS = 50.0
"""Answers that are slower by less than this are no alarm, however many times slower they are."""
SLOW_SHARE = 0.2
"""Share of the new one's answers that has to be slower than the old one's p95 allows. Were it as fast as the old one, one
in twenty would be slower than that p95 itself; a busy machine makes its own p95 jump, and is no reason to roll back."""


def split(new: str, old: str, percent: int) -> dict[str, int]:
    """The traffic while the new deployment is watched, in percent by deployment: always 100 in all."""
    return {new: percent, old: 100 - percent}


def alarm(new: Sequence[Probe], old: Sequence[Probe], *, ratio: float) -> str:
    """Why the release is to be rolled back, in a sentence; empty while nothing is wrong.

    A fault is one only when the probe after it finds one too: a connection that was lost once is no alarm.

    new, old: what probes of the two deployments found at the same times, the oldest first
    ratio: how many times the old one's p95 is too slow
    """
    # Any two: a look adds several probes, and the fault may be over at its end.
    for first, second in pairwise(new):
        if "fault" in first and "fault" in second:
            return f"two probes in a row found it wrong: {second['fault']}"
    usual = p95_ms(old)
    if usual is None or min(len(_times(new)), len(_times(old))) < LEAST_TIMED:
        return ""
    limit = max(ratio * usual, usual + BELOW_NOTICE_MS)
    slow = sum(ms > limit for ms in _times(new))
    if slow >= SLOW_SHARE * len(_times(new)):
        return f"it is slow: p95 {p95_ms(new):.0f} ms where the serving model takes {usual:.0f} ms"
    return ""


def scores_seen(shadow: Mapping[str, Any], *, least: float) -> dict[str, Any]:
    """How far the new model's scores lie from the serving one's on the same rows, and how far they may: by chance, for so
    many rows, and by what the settings allow.

    Both models score the very same rows, so that chance moves them less than two samples, for which the limit is made.
    shadow: of `models.shadow.compared`; least: an index below it is no alarm, whatever chance says
    """
    rows = shadow["rows"]
    limit = max(least, chance(TENTHS, 2 / rows)) if rows else least
    return {"batch": shadow["batch"], "rows": rows, "psi": shadow["psi"], "limit": round(limit, 6)}


def score_alarm(scores: Mapping[str, Any], serving: int) -> str:
    """Why the release is to be rolled back; empty while nothing is wrong. scores: as `scores_seen` has them"""
    if not scores or scores["psi"] <= scores["limit"]:
        return ""
    return (
        f"its scores of {scores['rows']:,} rows of batch {scores['batch']} lie elsewhere than those of model {serving}:"
        f" PSI {scores['psi']:.2f}, may be {scores['limit']:.2f}"
    )


LEAST_FAULTS = 5
"""Faults of the new one's own that an alarm needs: one odd request tried five times is none."""
USUAL_FAULTS = 0.01
"""Share of faulty answers that is no alarm, however few the serving model has."""
BY_CHANCE = 0.001
"""How probable so many faults may be, had the new one as many as the serving one."""


def request_alarm(new: Mapping[str, Any] | None, old: Mapping[str, Any] | None) -> str:
    """Why the release is to be rolled back by what its endpoint counted; empty while nothing is wrong, and where few asked.

    new, old: `requests` and `errors` of the two deployments at the same time; None where nothing was counted
    """
    if not new or new["errors"] < LEAST_FAULTS:
        return ""
    there = old or {"requests": 0, "errors": 0}
    usual = max((there["errors"] + 1) / (there["requests"] + 2) if there["requests"] else 0.0, USUAL_FAULTS)
    if _at_least(new["errors"], new["requests"], usual) >= BY_CHANCE:
        return ""
    return (
        f"{new['errors']} of {new['requests']} requests ended in a fault of its own, where the serving model had"
        f" {there['errors']} of {there['requests']}"
    )


def _at_least(hits: int, of: int, share: float) -> float:
    """The probability of so many or more among independent ones (binomial)."""
    if share >= 1:
        return 1.0
    below = sum(math.exp(_log_binomial(count, of, share)) for count in range(min(hits, of + 1)))
    return max(0.0, 1 - below)


def _log_binomial(hits: int, of: int, share: float) -> float:
    ways = math.lgamma(of + 1) - math.lgamma(hits + 1) - math.lgamma(of - hits + 1)
    return ways + hits * math.log(share) + (of - hits) * math.log1p(-share)


def p95_ms(probes: Sequence[Probe]) -> float | None:
    """None where no probe was answered."""
    times = _times(probes)
    return times[math.ceil(0.95 * len(times)) - 1] if times else None


def _times(probes: Sequence[Probe]) -> list[float]:
    return sorted(probe["ms"] for probe in probes if "ms" in probe)
