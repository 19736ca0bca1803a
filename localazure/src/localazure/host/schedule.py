"""When a timer fires: NCrontab expressions and plain intervals, in the process's time zone.

NCrontab is not cron: day of month AND day of week must match, 7 is no Sunday, five fields mean no
seconds, any beginning of an English name will do, and a range written backwards is turned around.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from localazure.host.errors import BadSetting
from localazure.host.host_json import seconds

MONTHS = tuple(calendar.month_name)[1:]
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
FIELDS = (
    ("second", 0, 59, ()), ("minute", 0, 59, ()), ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()), ("month", 1, 12, MONTHS), ("day of week", 0, 6, DAYS),
)  # fmt: skip
YEARS_AHEAD = 30
"""A schedule without a date for so long (30 February) never fires."""


class Schedule(Protocol):
    """The times of a timer."""

    @property
    def often(self) -> bool:
        """Fires more than once a minute: Azure keeps no status for these, so none is caught up."""

    def following(self, moment: datetime) -> datetime:
        """The first time after `moment`; both aware."""

    def has(self, moment: datetime) -> bool:
        """Whether it can fire then."""


def parse(text: str, *, zone: tzinfo | None, where: str) -> Schedule:
    """The schedule `text`; `zone` None is the machine's; `where` names the function for the error."""
    if ":" in text:
        return Interval(seconds(text, where=f"{where}: the schedule"))
    fields = text.split()
    if len(fields) not in {5, 6}:
        raise BadSetting(
            f"{where}: the schedule {text!r} has {len(fields)} fields. Write {{second}} {{minute}} {{hour}}"
            " {day} {month} {day-of-week}, or five fields without seconds, or an interval as hh:mm:ss."
        )
    return Cron(["0", *fields] if len(fields) == 5 else fields, zone, where)


@dataclass(frozen=True)
class Interval:
    """Every so many seconds, counted from the last run."""

    seconds: float

    @property
    def often(self) -> bool:
        return self.seconds < 60

    def following(self, moment: datetime) -> datetime:
        return moment + timedelta(seconds=self.seconds)

    def has(self, moment: datetime) -> bool:
        """Whenever it began."""
        return True


class Cron:
    """An NCrontab expression of six fields."""

    def __init__(self, fields: list[str], zone: tzinfo | None, where: str) -> None:
        parsed = [_values(*given, where) for given in zip(fields, FIELDS, strict=True)]
        self._seconds, self._minutes, self._hours = (sorted(values) for values in parsed[:3])
        self._days, self._months, self._weekdays = parsed[3:]
        self._zone = zone
        self._recurs = any(sign in field for field in fields[:3] for sign in "*-/")
        self.often = len(self._seconds) > 1 and all(field == "*" for field in fields[1:])
        if next(self._naive(datetime(2000, 1, 1)), None) is None:  # noqa: DTZ001 - a wall clock's
            raise BadSetting(f"{where}: the schedule {' '.join(fields)!r} names a date that never comes.")

    def following(self, moment: datetime) -> datetime:
        """The first time after `moment`.

        Where clocks are set back, what recurs within the day (`*`, `-` or `/` in the first three fields) runs
        through the repeated hour too, and a point in time runs once. Where they are set forward, a time that
        is skipped comes an hour later by the clock.
        """
        local = self._local(moment)
        if not self._recurs:
            return next(utc for naive in self._naive(_plain(local)) if (utc := self._utc(naive, 0)) > moment)
        ahead = next(
            utc for naive in self._naive(_plain(local)) if (utc := self._utc(naive, local.fold)) > moment
        )
        if self._local(ahead).utcoffset() == local.utcoffset():
            return ahead
        back = self._offset_change(moment, ahead)
        again = self._local(back)
        repeated = next(self._naive(_plain(again) - timedelta(seconds=1)))
        return min(ahead, max(self._utc(repeated, again.fold), back))

    def has(self, moment: datetime) -> bool:
        return self.following(moment - timedelta(seconds=1)) == moment

    def _offset_change(self, low: datetime, high: datetime) -> datetime:
        """The first second after `low` that has another UTC offset."""
        before = self._local(low).utcoffset()
        span = int((high - low).total_seconds()) + 1
        step = 0
        while span > 1:
            half = span // 2
            if self._local(low + timedelta(seconds=step + half)).utcoffset() == before:
                step, span = step + half, span - half
            else:
                span = half
        return (low + timedelta(seconds=step + 1)).replace(microsecond=0)

    def _local(self, moment: datetime) -> datetime:
        local = moment.astimezone(self._zone)
        if self._zone is None and local.replace(tzinfo=None).astimezone().utcoffset() != local.utcoffset():
            return local.replace(fold=1)
        return local

    def _utc(self, naive: datetime, fold: int) -> datetime:
        """The instant of a wall clock time; one that is skipped comes later, by the offset that was."""
        if self._zone:
            return naive.replace(fold=fold, tzinfo=self._zone).astimezone(UTC)
        # not astimezone(): it takes a skipped time of the machine's own zone the other way
        return datetime.fromtimestamp(naive.replace(fold=fold).timestamp(), UTC)

    def _naive(self, after: datetime) -> Iterator[datetime]:
        """The matching wall clock times after `after`, in order."""
        midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
        last_year = after.year + YEARS_AHEAD
        while midnight.year <= last_year:
            if self._matches_day(midnight):
                yield from self._times(midnight, after)
            midnight += timedelta(days=1)

    def _matches_day(self, day: datetime) -> bool:
        return (
            day.month in self._months and day.day in self._days and (day.weekday() + 1) % 7 in self._weekdays
        )

    def _times(self, midnight: datetime, after: datetime) -> Iterator[datetime]:
        for hour in self._hours:
            if midnight.replace(hour=hour, minute=59, second=59) <= after:
                continue
            for minute in self._minutes:
                if midnight.replace(hour=hour, minute=minute, second=59) <= after:
                    continue
                moments = (midnight.replace(hour=hour, minute=minute, second=s) for s in self._seconds)
                yield from (moment for moment in moments if moment > after)


def _plain(local: datetime) -> datetime:
    return local.replace(tzinfo=None, fold=0)


def _values(text: str, field: tuple[str, int, int, tuple[str, ...]], where: str) -> set[int]:
    """The values a field allows."""
    name, low, high, _ = field
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/(-?\d+))?", part)
        if not match or (match[1] == "*" and match[2]):
            raise BadSetting(f"{where}: {part!r} is no {name} of a schedule.")
        if match[3] and int(match[3]) < 1:
            raise BadSetting(
                f"{where}: {part!r} is no {name} of a schedule: steps of {match[3]} are not refused by Azure, which takes"
                f" it as every {name}. Write {part.partition('/')[0]}/1 if that is meant."
            )
        first = low if match[1] == "*" else _value(match[1], field, where)
        last = high if match[1] == "*" or (match[3] and not match[2]) else first
        if match[2]:
            last = _value(match[2], field, where)
        found.update(range(min(first, last), max(first, last) + 1, int(match[3] or 1)))
    return found


def _value(text: str, field: tuple[str, int, int, tuple[str, ...]], where: str) -> int:
    name, low, high, names = field
    if text.isascii() and text.isdigit() and low <= int(text) <= high:
        return int(text)
    for number, word in enumerate(names, start=low):
        if word.lower().startswith(text.lower()):
            return number
    known = f"{low} to {high}" + (f", or a name like {names[0]}" if names else "")
    raise BadSetting(f"{where}: {text!r} is no {name} of a schedule: {known}.")
