"""What mends itself, by the hour: where it goes on for hours something else is the matter, and a person is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from shared.domain.alerts import Condition
from shared.ledger import Document, Present
from shared.ledger.outbox import FENCE_WAIT, FOUND_OPEN, LOST_RACE, Expected

HOURS = 3
"""In a row; fewer is an outage that is over, or one file that was slow."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """So often in each hour is too often."""

    alert: str
    least: int
    what: str
    """In words, after the count."""
    counted: tuple[str, ...] = ()
    """The names under which it is counted; empty: whatever no other rate counts."""

    def count(self, mended: Mapping[str, int]) -> int:
        """How often it happened, of what was counted."""
        return sum(n for name, n in mended.items() if _RATE_OF.get(name, ABANDONED) is self)


EVENTS = ("UploadArrived", "OutcomesArrived")
"""Facts that come as events."""
ABANDONED = Rate(alert="work-abandoned", least=3, what="facts were found open that no worker was at")
RATES = (
    Rate(
        alert="events-missing",
        least=1,
        what="files were found by the reconciliation, and no event of them came",
        counted=EVENTS,
    ),
    ABANDONED,
    Rate(
        alert="writers-collide",
        least=1000,
        what="writes were put together anew, since another worker was quicker",
        counted=(LOST_RACE,),
    ),
    Rate(
        alert="submissions-unanswered",
        least=1,
        what="submissions had no answer, and were waited for",
        counted=(FENCE_WAIT,),
    ),
)
_RATE_OF = {name: rate for rate in RATES for name in rate.counted}


def found_by_sweep(found: Expected) -> Counter[str]:
    """The names under which facts are counted that a reconciliation found due: a file that it found open is no event that
    did not come."""
    again = Counter(
        FOUND_OPEN if name in EVENTS else name for name in (type(fact).__name__ for fact in found.again)
    )
    return again + Counter(type(fact).__name__ for fact in found.new)


@dataclass(frozen=True, kw_only=True)
class MendedByHour:
    """What was counted when each of the last hours began, and since when each rate is too high."""

    totals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    since: Mapping[str, str] = field(default_factory=dict)
    """By alert."""


MENDED = Document(name="mended-hours", type=MendedByHour, placement="standing")
ALL = "all"


def by_hour(present: Present, now: datetime) -> MendedByHour:
    """As it is known, with the hour that has begun; the same for all of the hour."""
    known = present.document(MENDED, ALL) or MendedByHour()
    begun = now.replace(minute=0, second=0, microsecond=0)
    if begun.isoformat() in known.totals:
        return known
    wanted = [(begun - n * HOUR).isoformat() for n in range(HOURS + 1)]
    totals = {hour: known.totals[hour] for hour in wanted if hour in known.totals}
    totals[begun.isoformat()] = dict(present.counted.mended)
    since: dict[str, str] = {}
    if len(totals) == len(wanted):  # no hour is missing, as it is where the app was down
        hours = [_between(totals[before], totals[after]) for after, before in pairwise(wanted)]
        for rate in RATES:
            if all(rate.count(hour) >= rate.least for hour in hours):
                since[rate.alert] = known.since.get(rate.alert, wanted[-1])
    return MendedByHour(totals=totals, since=since)


def _between(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    return {name: count - before.get(name, 0) for name, count in after.items()}


def too_often(hours: MendedByHour) -> Iterator[Condition]:
    """The rates that are too high, each one cause."""
    ordered = sorted(hours.totals)
    for rate in RATES:
        if rate.alert in hours.since:
            count = rate.count(_between(hours.totals[ordered[0]], hours.totals[ordered[-1]]))
            says = f"{count:,} {rate.what}, in each of the last {HOURS} hours some"
            yield Condition(alert=rate.alert, cause=rate.alert, since=hours.since[rate.alert], says=says)
