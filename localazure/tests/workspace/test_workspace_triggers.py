"""When schedules fire: times computed, nothing waited for."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest

from localazure.workspace.scheduling.triggers import trigger_of
from localazure.workspace.scheduling.zones import zone
from localazure.workspace.wire.calls import Refusal

MADE = datetime(2026, 3, 2, 10, 17, 30, tzinfo=UTC)  # a Monday


def _times(count: int, **trigger: Any) -> list[str]:
    """The first times after the schedule is made, in UTC."""
    made, found, moment = trigger_of(trigger, made=MADE), list[str](), MADE
    for _ in islice(range(count), count):
        found_one = made.next_after(moment)
        if found_one is None:
            break
        moment = found_one
        found.append(f"{moment:%Y-%m-%d %H:%M:%S}")
    return found


def _cron(expression: str, **more: Any) -> dict[str, Any]:
    return {"triggerType": "Cron", "expression": expression, **more}


def _every(frequency: str, interval: int = 1, schedule: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "triggerType": "Recurrence", "frequency": frequency, "interval": interval, "schedule": schedule, **more
    }  # fmt: skip


@pytest.mark.parametrize(
    ("trigger", "times"),
    [
        (_cron("15 16 * * 1"), ["2026-03-02 16:15:00", "2026-03-09 16:15:00"]),
        (_cron("*/20 10 * * mon"), ["2026-03-02 10:20:00", "2026-03-02 10:40:00"]),
        (_cron("0 3 * * 0,6"), ["2026-03-07 03:00:00", "2026-03-08 03:00:00"]),
        (
            _cron("30 2 * * *", timeZone="W. Europe Standard Time", startTime="2026-03-28T00:00:00"),
            ["2026-03-28 01:30:00", "2026-03-29 01:00:00"],
        ),
        (_every("minute", 40), ["2026-03-02 10:57:30", "2026-03-02 11:37:30"]),
        (_every("hour", 6, startTime="2026-03-01T00:30:00Z"), ["2026-03-02 12:30:00", "2026-03-02 18:30:00"]),
        (
            _every("day", 2, {"hours": [9, 4], "minutes": [45, 0]}),
            ["2026-03-04 04:00:00", "2026-03-04 04:45:00", "2026-03-04 09:00:00", "2026-03-04 09:45:00"],
        ),
        (
            _every("week", 2, {"hours": [3], "minutes": [15], "weekDays": ["monday", "sunday"]}),
            ["2026-03-15 03:15:00", "2026-03-16 03:15:00", "2026-03-29 03:15:00"],
        ),
        (
            _every("month", 1, {"hours": [0], "minutes": [0], "monthDays": [31, 1]}),
            ["2026-03-31 00:00:00", "2026-04-01 00:00:00", "2026-05-01 00:00:00", "2026-05-31 00:00:00"],
        ),
        (
            _every("day", 1, {"hours": [12], "minutes": [0]}, endTime="2026-03-03T13:00:00"),
            ["2026-03-02 12:00:00", "2026-03-03 12:00:00"],
        ),
        (_every("month", 12, {"hours": [0], "minutes": [0], "monthDays": [30]}, startTime="2026-02-01"), []),
    ],
)
def test_times(trigger: dict[str, Any], times: list[str]) -> None:
    assert _times(len(times) or 1, **trigger) == times


def test_an_end_is_the_end() -> None:
    trigger = _every("day", 1, {"hours": [12], "minutes": [0]}, endTime="2026-03-03T13:00:00")
    assert len(_times(5, **trigger)) == 2


def test_a_recurrence_without_a_start_fires_at_once_and_a_cron_does_not() -> None:
    assert trigger_of(_every("day"), made=MADE).at_once
    assert not trigger_of(_every("day", startTime="2026-03-01"), made=MADE).at_once
    assert not trigger_of(_cron("0 0 * * *"), made=MADE).at_once


@pytest.mark.parametrize(
    ("trigger", "says"),
    [
        (_cron("0 3 1 * *"), "days of the month"),
        (_cron("0 3 * 6 *"), "months"),
        (_cron("0 3 * *"), "MINUTES HOURS"),
        (_cron("0 25 * * *"), "cannot be read"),
        (_cron("0 3 * * 7"), "0 \\(Sunday\\) to 6"),
        (_cron("0 0 3 * * *"), "MINUTES HOURS"),
        (_cron("0 3 * * *", timeZone="Nowhere Standard Time"), "no time zone"),
        (_cron("0 3 * * *", endTime="2020-01-01"), "in the past"),
        (_cron("0 3 * * *", startTime="soon"), "not a time"),
        (_every("year"), "frequency"),
        (_every("day", 0), "interval"),
        (_every("week", 1, {"hours": [1], "minutes": [0], "monthDays": [1]}), "monthDays has no meaning"),
        (_every("hour", 1, {"hours": [1], "minutes": [0]}), "hours has no meaning"),
        (_every("day", 1, {"hours": [24], "minutes": [0]}), "hours"),
        ({"triggerType": "Moon"}, "Cron or Recurrence"),
    ],
)
def test_what_would_fire_at_other_times_than_it_says_is_refused(trigger: dict[str, Any], says: str) -> None:
    with pytest.raises(Refusal, match=says):
        trigger_of(trigger, made=MADE)


def test_every_time_zone_of_the_sdk_is_known() -> None:
    from azure.ai.ml.constants import TimeZone

    assert len(TimeZone) > 130
    for one in TimeZone:
        assert zone(one.value).key != one.value or one.value == "UTC"
