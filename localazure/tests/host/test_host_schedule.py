"""When timers fire: NCrontab's rules, and what clocks do twice a year."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from localazure.host.errors import BadSetting
from localazure.host.schedule import parse

LISBON = ZoneInfo("Europe/Lisbon")


def following(expression: str, moment: str, count: int = 1) -> list[str]:
    """The next times in UTC."""
    schedule = parse(expression, zone=UTC, where="f")
    at, found = datetime.fromisoformat(moment).replace(tzinfo=UTC), []
    for _ in range(count):
        at = schedule.following(at)
        found.append(at.strftime("%Y-%m-%d %H:%M:%S"))
    return found


@pytest.fixture(params=["by name", "as the machine's"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tzinfo | None]:
    """Lisbon's zone, given to the schedule or found on the machine."""
    if request.param == "by name":
        yield LISBON
        return
    if not hasattr(time, "tzset"):
        pytest.skip("Windows has one zone a machine")
    monkeypatch.setenv("TZ", "Europe/Lisbon")
    time.tzset()
    yield None
    monkeypatch.undo()
    time.tzset()


def in_lisbon(zone: tzinfo | None, expression: str, moment: str, count: int) -> list[str]:
    """The next times by a clock in Lisbon, with the zone's name of the season."""
    schedule = parse(expression, zone=zone, where="f")
    at, found = datetime.fromisoformat(moment).astimezone(UTC), []
    for _ in range(count):
        at = schedule.following(at)
        found.append(at.astimezone(LISBON).strftime("%d %H:%M %Z"))
    return found


@pytest.mark.parametrize(
    ("expression", "moment", "expected"),
    [
        ("0 */5 * * * *", "2026-11-24 10:01:00", "2026-11-24 10:05:00"),
        ("0 */5 * * * *", "2026-11-24 10:05:00", "2026-11-24 10:10:00"),
        ("*/5 * * * *", "2026-11-24 10:01:30", "2026-11-24 10:05:00"),
        ("* * * * * *", "2026-11-24 10:01:30.5", "2026-11-24 10:01:31"),
        ("0 0 3 * * 1", "2026-11-24 10:00:00", "2026-11-30 03:00:00"),
        ("0 0 3 * * MON", "2026-11-24 10:00:00", "2026-11-30 03:00:00"),
        ("0 0 3 * jan monday", "2026-11-24 10:00:00", "2027-01-04 03:00:00"),
        ("0 0 0 13 * 5", "2026-11-24 10:00:00", "2027-08-13 00:00:00"),  # day of month AND day of week
        ("0 0 0 29 2 *", "2026-11-24 10:00:00", "2028-02-29 00:00:00"),
        ("0 0 0 29 2 1", "2026-11-24 10:00:00", "2044-02-29 00:00:00"),
        ("30 59 23 31 12 *", "2026-11-24 10:00:00", "2026-12-31 23:59:30"),
        ("0 0 9-17/4 * * *", "2026-11-24 10:00:00", "2026-11-24 13:00:00"),
        ("0 10/20 * * * *", "2026-11-24 10:31:00", "2026-11-24 10:50:00"),
        ("0 0 0 * * 5-1", "2026-11-22 10:00:00", "2026-11-23 00:00:00"),  # turned around: Monday to Friday
        ("0 0,30 8,20 * * *", "2026-11-24 08:00:00", "2026-11-24 08:30:00"),
        ("00:00:30", "2026-11-24 10:00:10", "2026-11-24 10:00:40"),
        ("1.00:00:00", "2026-11-24 10:00:10", "2026-11-25 10:00:10"),
    ],
)
def test_the_next_time(expression: str, moment: str, expected: str) -> None:
    assert following(expression, moment) == [expected]


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "60 * * * * *", "0 0 0 0 * *", "0 0 0 * * 7", "0 0 0 30 2 *", "*/0 * * * * *",
     "0 0 0 ? * *", "a * * * * *", "0 0 0 * * L", "25:00:00", "0 0 0 1,,2 * *", "0 -1 * * * *"],
)  # fmt: skip
def test_what_is_no_schedule_is_named(expression: str) -> None:
    with pytest.raises(BadSetting, match=r"^f: "):
        parse(expression, zone=UTC, where="f")


def test_clocks_set_back_repeat_what_recurs_and_not_a_point_in_time(zone: tzinfo | None) -> None:
    """On 25 October 2026 at 02:00 WEST it is 01:00 WET again."""
    before = "2026-10-25 00:20+01:00"
    assert in_lisbon(zone, "0 */30 * * * *", before, 6) == [
        "25 00:30 WEST", "25 01:00 WEST", "25 01:30 WEST", "25 01:00 WET", "25 01:30 WET", "25 02:00 WET",
    ]  # fmt: skip
    assert in_lisbon(zone, "0 30 1 * * *", before, 2) == ["25 01:30 WEST", "26 01:30 WET"]
    assert in_lisbon(zone, "0 30 1 * * *", "2026-10-25 01:10+00:00", 1) == ["26 01:30 WET"]


def test_clocks_set_forward_skip_nothing(zone: tzinfo | None) -> None:
    """On 29 March 2026 at 01:00 WET it is 02:00 WEST."""
    before = "2026-03-29 00:20+00:00"
    assert in_lisbon(zone, "0 30 1 * * *", before, 2) == ["29 02:30 WEST", "30 01:30 WEST"]
    assert in_lisbon(zone, "0 */30 * * * *", before, 3) == ["29 00:30 WET", "29 02:00 WEST", "29 02:30 WEST"]


def test_only_what_fires_within_the_minute_is_often() -> None:
    often = {
        "*/10 * * * * *": True,
        "0 * * * * *": False,
        "*/10 0 * * * *": False,
        "00:00:30": True,
        "00:01": False,
    }
    assert {text: parse(text, zone=UTC, where="f").often for text in often} == often


FIELD = some.sampled_from(["*", "0", "*/7", "5-20/5", "3,11", "10/15"])


@given(
    fields=some.tuples(FIELD, FIELD, FIELD),
    moment=some.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=some.just(LISBON)),  # noqa: DTZ001
)
def test_the_next_time_is_later_and_none_lies_between(fields: tuple[str, str, str], moment: datetime) -> None:
    schedule = parse(
        f"{' '.join(fields)} * * *".replace("* * * * * *", "0 * * * * *"), zone=LISBON, where="f"
    )
    at = moment.astimezone(UTC)
    first = schedule.following(at)
    assert first > at
    assert schedule.following(first - timedelta(seconds=1)) == first
    middle = at + (first - at) / 2
    assert schedule.following(middle) == first
