"""What a data contract expects to come, and by when: files of a dataset, and lists to score, by the hour or by their age.

    expects:
      time_zone: Europe/Lisbon
      holidays: ["2026-12-25", "2027-01-01"]
      files: {by: "08:00", days: [mon, tue, wed, thu, fri], opens_hours: 12, at_most_hours_old: 36}
      batches: {by: "07:00"}

An hour is met by what came in the `opens_hours` before it, or, late, after it. What is late stays late, since the first
hour that was missed, until one comes: a file that is missing for a week is one thing that is the matter.

source: Open Data Contract Standard 3.1, slaProperties: `by` is its `timeOfAvailability`, `at_most_hours_old` its
`freshness`, which names neither working days nor holidays
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKING_DAYS = DAYS[:5]
OPENS_HOURS = 12.0
LONGEST_SEARCH_DAYS = 400
"""Further ahead no day is looked for: a calendar whose every day for a year is a holiday expects nothing."""
What = Literal["files", "batches"]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One thing that is expected again and again."""

    by: time | None = None
    """The hour, in the calendar's time zone."""
    days: tuple[Day, ...] = WORKING_DAYS
    opens_hours: float = OPENS_HOURS
    """How long before the hour what comes counts for it."""
    at_most_hours_old: float | None = None
    """How old the newest may be, at any hour of any day."""


@dataclass(frozen=True, kw_only=True)
class Lateness:
    """Something did not come."""

    since: datetime
    """The hour that was missed first."""
    rule: str
    """Which, in words."""


@dataclass(frozen=True, kw_only=True)
class Expectations:
    """What is expected of one dataset, and the calendar that its hours are of."""

    time_zone: str = "UTC"
    holidays: frozenset[date] = field(default_factory=frozenset)
    files: Expected | None = None
    batches: Expected | None = None

    def of(self, what: What) -> Expected | None:
        return self.files if what == "files" else self.batches

    def next_due(self, what: What, last: datetime | None, *, watched: datetime) -> Lateness | None:
        """When, with nothing more coming, it is late, and by which rule: it is so from then on, and not before.

        last: when the newest came
        watched: since when it is expected at all: no earlier hour can be missed
        returns: None where nothing is expected
        """
        expected = self.of(what)
        found = list(self._dues(expected, last, watched)) if expected else []
        return min(found, key=lambda one: one.since) if found else None

    def _dues(self, expected: Expected, last: datetime | None, watched: datetime) -> Iterator[Lateness]:
        newest = max(last or watched, watched)
        if expected.at_most_hours_old is not None:
            old = newest + timedelta(hours=expected.at_most_hours_old)
            yield Lateness(since=old, rule=f"at most {expected.at_most_hours_old:g} h old")
        if expected.by is not None:
            opens = timedelta(hours=expected.opens_hours)
            hours = self._hours(expected, expected.by, newest)
            since = next(
                (one for one in hours if one >= watched and (last is None or one - opens > last)), None
            )
            if since:
                yield Lateness(since=since, rule=f"by {expected.by:%H:%M} ({self.time_zone})")

    def _hours(self, expected: Expected, by: time, start: datetime) -> Iterator[datetime]:
        """The hours of the expected days, from the day of `start` on."""
        zone = ZoneInfo(self.time_zone)
        day = start.astimezone(zone).date()
        for _ in range(LONGEST_SEARCH_DAYS):
            if DAYS[day.weekday()] in expected.days and day not in self.holidays:
                # An hour that the clocks skip is the one after it; of one they repeat, the first counts.
                yield datetime.combine(day, by, zone).astimezone(UTC)
            day += timedelta(days=1)


def expectations(body: object) -> Expectations:
    """As a contract's YAML has them; raises: ValueError that names the key, and says what it has to be"""
    given = _mapping("expects", body, {"time_zone", "holidays", "files", "batches"})
    if not given.keys() & {"files", "batches"}:
        raise ValueError("expects: say of what, `files` or `batches`")
    return Expectations(
        time_zone=_zone(given.get("time_zone", "UTC")),
        holidays=frozenset(_date(one) for one in _list("holidays", given.get("holidays", []))),
        files=_expected("files", given["files"]) if "files" in given else None,
        batches=_expected("batches", given["batches"]) if "batches" in given else None,
    )


def _expected(what: str, body: object) -> Expected:
    given = _mapping(f"expects.{what}", body, {"by", "days", "opens_hours", "at_most_hours_old"})
    if not given.keys() & {"by", "at_most_hours_old"}:
        raise ValueError(f'expects.{what}: say by when, `by: "08:00"`, or `at_most_hours_old: 36`, or both')
    if "by" not in given and given.keys() & {"days", "opens_hours"}:
        raise ValueError(f"expects.{what}: `days` and `opens_hours` are of an hour: say `by` too")
    days = _list(f"{what}.days", given.get("days", list(WORKING_DAYS)))
    wrong = [one for one in days if one not in DAYS]
    if wrong or not days:
        raise ValueError(f"expects.{what}.days: {wrong or 'no day'!r} is none of {', '.join(DAYS)}")
    return Expected(
        by=_hour(what, given["by"]) if "by" in given else None,
        days=tuple(day for day in DAYS if day in days),
        opens_hours=_hours(f"{what}.opens_hours", given.get("opens_hours", OPENS_HOURS), most=24),
        at_most_hours_old=(
            _hours(f"{what}.at_most_hours_old", given["at_most_hours_old"], most=24 * 366)
            if "at_most_hours_old" in given
            else None
        ),
    )


def _mapping(key: str, body: object, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise ValueError(f"{key}: {body!r} is no mapping of {', '.join(sorted(known))}")
    extra = sorted(map(str, set(body) - known))
    if extra:
        raise ValueError(
            f"{key}: {', '.join(extra)} means nothing there; there is {', '.join(sorted(known))}"
        )
    return body


def _list(key: str, body: object) -> list[Any]:
    if isinstance(body, list):
        return body
    raise ValueError(f"expects.{key}: {body!r} is no list, such as [mon, tue]")


def _zone(name: object) -> str:
    try:
        ZoneInfo(name)  # type: ignore[arg-type]  # what it is not, it refuses
    except (KeyError, ValueError, TypeError, OSError, AttributeError) as cause:
        raise ValueError(
            f"expects.time_zone: {name!r} is no time zone; write it as the IANA database does: Europe/Lisbon, UTC"
        ) from cause
    return str(name)


def _date(value: object) -> date:
    if type(value) is date:  # YAML reads a bare one so
        return value
    try:
        return date.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as cause:
        raise ValueError(f'expects.holidays: {value!r} is no day; write it as "2026-12-25"') from cause


def _hour(what: str, value: object) -> time:
    if isinstance(value, str) and len(value) == 5 and value[2] == ":":
        try:
            return time.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError(
        f'expects.{what}.by: {value!r} is no hour; write it in quotes, as "08:00" (YAML reads a bare 08:30 as a number)'
    )


def _hours(key: str, value: object, *, most: float) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most:
        return float(value)
    raise ValueError(f"expects.{key}: {value!r} is no number of hours above 0 and at most {most:g}")
