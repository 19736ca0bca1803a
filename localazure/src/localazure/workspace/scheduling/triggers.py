"""When a schedule fires: cron expressions and recurrences, in their time zone. Pure: no clock, no store."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from localazure.workspace.scheduling.zones import zone
from localazure.workspace.wire.calls import Json, Refusal

_CRON_FIELD = re.compile(r"[0-9A-Za-z*,/-]+")
_DAYS_OF_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_YEARS_AHEAD = 30
"""Farther than any pattern that ever fires: the 29th of February every 13 months comes round in less."""


class _Pattern(Protocol):
    def after(self, moment: datetime) -> Iterator[datetime]:
        """Instants in UTC, in order, all later than `moment`; may be endless."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """`at_once`: the first job starts when the schedule is made, as Azure does without a start time."""

    pattern: _Pattern
    start: datetime
    end: datetime | None
    at_once: bool

    def next_after(self, moment: datetime) -> datetime | None:
        """The first instant later than `moment`; None when the schedule is over or never fires."""
        from_here = max(moment, self.start - timedelta(microseconds=1))
        found = next(self.pattern.after(from_here), None)
        return None if found is None or (self.end and found > self.end) else found


def trigger_of(given: Json, *, made: datetime) -> Trigger:
    """A schedule's trigger as the SDK sends it; `made` stands in for a start that is not given."""
    of = zone(given.get("timeZone"))
    start = _moment(given.get("startTime"), of) or made
    end = _moment(given.get("endTime"), of)
    if end and end <= made:
        raise Refusal(400, "UserError", f"endTime {given['endTime']!r} is in the past")
    kind = str(given.get("triggerType")).lower()
    if kind == "cron":
        return Trigger(pattern=_cron(given, of), start=start, end=end, at_once=False)
    if kind == "recurrence":
        at_once = not given.get("startTime")
        return Trigger(pattern=_recurrence(given, of, start), start=start, end=end, at_once=at_once)
    raise Refusal(400, "UserError", f"triggerType {given.get('triggerType')!r}: write Cron or Recurrence")


def _moment(text: str | None, of: ZoneInfo) -> datetime | None:
    """A time without an offset is one of the trigger's zone."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as cause:
        raise Refusal(400, "UserError", f"{text!r} is not a time: write YYYY-MM-DDThh:mm:ss") from cause
    return (found if found.tzinfo else found.replace(tzinfo=of)).astimezone(UTC)


@dataclass(frozen=True)
class _Cron:
    expression: str
    zone: ZoneInfo

    def after(self, moment: datetime) -> Iterator[datetime]:
        for found in CronSim(self.expression, moment.astimezone(self.zone)):
            yield found.astimezone(UTC)


def _cron(given: Json, of: ZoneInfo) -> _Cron:
    """Five fields. Azure reads DAYS and MONTHS as `*` whatever they say, so anything else is refused."""
    expression = str(given.get("expression") or "")
    fields = expression.split()
    if len(fields) != 5 or not all(_CRON_FIELD.fullmatch(field) for field in fields):
        raise Refusal(
            400, "UserError", f"the expression {expression!r} is not MINUTES HOURS DAYS MONTHS DAYS-OF-WEEK"
        )
    if fields[2:4] != ["*", "*"]:
        raise Refusal(
            400,
            "UserError",
            f"the expression {expression!r} names days of the month or months: Azure ML documents that it takes "
            "them for `*`, so it would fire on other days than it says; use a recurrence with monthDays",
        )
    if "7" in re.findall(r"\d+", fields[4]):
        raise Refusal(
            400, "UserError", f"the expression {expression!r}: days of the week are 0 (Sunday) to 6"
        )
    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as cause:
        raise Refusal(400, "UserError", f"the expression {expression!r} cannot be read: {cause}") from cause
    return _Cron(expression, of)


@dataclass(frozen=True)
class _Every:
    """A fixed time apart, counted from the start."""

    start: datetime
    step: timedelta

    def after(self, moment: datetime) -> Iterator[datetime]:
        first = max(0, (moment - self.start) // self.step + 1)
        return (self.start + self.step * number for number in count(first))


@dataclass(frozen=True, kw_only=True)
class _Calendar:
    """Every `interval`-th day, week or month from the start's own, at the times of the day it names."""

    frequency: str
    interval: int
    start: datetime
    zone: ZoneInfo
    times: tuple[tuple[int, int, int], ...]
    week_days: tuple[int, ...]
    month_days: tuple[int, ...]

    def after(self, moment: datetime) -> Iterator[datetime]:
        last = moment + timedelta(days=366 * _YEARS_AHEAD)
        for day in self._days(moment):
            for hour, minute, second in self.times:
                found = day.replace(hour=hour, minute=minute, second=second).astimezone(UTC)
                if found > last:
                    return
                if found > moment:
                    yield found

    def _days(self, moment: datetime) -> Iterator[datetime]:
        """Midnights, in order, beginning no later than the day of `moment`."""
        first = self.start.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        today = moment.astimezone(self.zone)
        if self.frequency == "day":
            gone = max(0, (today.date() - first.date()).days // self.interval)
            for number in count(gone):
                yield first + timedelta(days=number * self.interval)
        elif self.frequency == "week":
            sunday = first - timedelta(days=(first.weekday() + 1) % 7)
            gone = max(0, (today.date() - sunday.date()).days // (7 * self.interval))
            for number in count(gone):
                week = sunday + timedelta(weeks=number * self.interval)
                yield from (week + timedelta(days=(day + 1) % 7) for day in self.week_days)
        else:
            yield from self._days_of_months(first, today)

    def _days_of_months(self, first: datetime, today: datetime) -> Iterator[datetime]:
        """A day that a month does not have is no day: as documented, nothing fires then."""
        begun = first.year * 12 + first.month - 1
        gone = max(0, (today.year * 12 + today.month - 1 - begun) // self.interval)
        for number in count(gone):
            year, month = divmod(begun + number * self.interval, 12)
            if year > 9000:
                return
            days = calendar.monthrange(year, month + 1)[1]
            for day in self.month_days:
                if day <= days:
                    yield first.replace(year=year, month=month + 1, day=day)


def _recurrence(given: Json, of: ZoneInfo, start: datetime) -> _Pattern:
    frequency, interval = str(given.get("frequency")).lower(), given.get("interval")
    if frequency not in ("minute", "hour", "day", "week", "month"):
        raise Refusal(
            400, "UserError", f"frequency {given.get('frequency')!r}: minute, hour, day, week or month"
        )
    if not isinstance(interval, int) or interval < 1:
        raise Refusal(400, "UserError", f"interval {interval!r}: write a whole number from 1")
    pattern = given.get("schedule") or {}
    own = start.astimezone(of)
    if frequency in ("minute", "hour"):
        _refuse(pattern, ("hours", "minutes", "weekDays", "monthDays"), frequency)
        return _Every(start, timedelta(minutes=interval * (60 if frequency == "hour" else 1)))
    _refuse(pattern, {"day": ("weekDays", "monthDays"), "week": ("monthDays",), "month": ("weekDays",)}[frequency], frequency)  # fmt: skip  # noqa: E501
    return _Calendar(
        frequency=frequency,
        interval=interval,
        start=start,
        zone=of,
        times=_times(pattern, own),
        week_days=_week_days(pattern.get("weekDays") or [_DAYS_OF_WEEK[own.weekday()]]),
        month_days=_month_days(pattern.get("monthDays") or [own.day]),
    )


def _refuse(pattern: Json, names: tuple[str, ...], frequency: str) -> None:
    given = [name for name in names if pattern.get(name)]
    if given:
        raise Refusal(
            400, "UserError", f"schedule.{given[0]} has no meaning with the frequency {frequency!r}"
        )


def _times(pattern: Json, own: datetime) -> tuple[tuple[int, int, int], ...]:
    """Hours and minutes of the day; what is not given is the start's."""
    hours, minutes = pattern.get("hours") or [], pattern.get("minutes") or []
    if not hours and not minutes:
        return ((own.hour, own.minute, own.second),)
    for name, values, most in (("hours", hours, 23), ("minutes", minutes, 59)):
        if any(not isinstance(value, int) or not 0 <= value <= most for value in values):
            raise Refusal(400, "UserError", f"schedule.{name} {values}: whole numbers from 0 to {most}")
    return tuple(
        (hour, minute, 0) for hour in sorted(hours or [own.hour]) for minute in sorted(minutes or [0])
    )


def _week_days(names: list[str]) -> tuple[int, ...]:
    """In the order of a week that begins on Sunday."""
    try:
        numbers = {_DAYS_OF_WEEK.index(str(name).lower()) for name in names}
    except ValueError as cause:
        raise Refusal(400, "UserError", f"schedule.weekDays {names}: monday to sunday") from cause
    return tuple(sorted(numbers, key=lambda number: (number + 1) % 7))


def _month_days(days: list[int]) -> tuple[int, ...]:
    if any(not isinstance(day, int) or not 1 <= day <= 31 for day in days):
        raise Refusal(400, "UserError", f"schedule.monthDays {days}: whole numbers from 1 to 31")
    return tuple(sorted(set(days)))
