"""What mends itself for hours is told once, and once more when it is over."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from flow.alerting import Channel, Watched
from flow.world import bank_rows

from shared.domain.facts import WorkPaused, WorkResumed
from shared.ledger.outbox import FENCE_WAIT, LOST_RACE
from shared.procedures.mended_rates import HOURS, RATES

OF_RATE = {
    "events-missing": "UploadArrived", "work-abandoned": "RunDue", "writers-collide": LOST_RACE,
    "submissions-unanswered": FENCE_WAIT,
}  # fmt: skip
LEAST = {rate.alert: rate.least for rate in RATES}


@pytest.fixture
def world() -> Watched:
    made = Watched(time=datetime(2026, 11, 24, 8, 0, tzinfo=UTC))
    made.channels = (Channel(),)
    made.minute()
    return made


def hour(world: Watched, **mended: int) -> None:
    """Something mends itself so often, and the clock ticks at the end of the hour."""
    world.ledger.outbox.count(Counter({name.replace("_", "-"): n for name, n in mended.items()}))
    world.pass_time(3600 - 120)
    world.minute()
    world.minute()


def raised(world: Watched) -> list[str]:
    return [alert.values["name"] for alert in world.alerts()]


@pytest.mark.parametrize("alert", LEAST)
def test_what_goes_on_for_hours_is_told_once_and_once_when_it_is_over(world: Watched, alert: str) -> None:
    often = {OF_RATE[alert].replace("-", "_"): LEAST[alert]}
    for _ in range(HOURS - 1):
        hour(world, **often)
        assert raised(world) == []
    for _ in range(3):
        hour(world, **often)
        assert raised(world) == [alert]
    hour(world)
    assert raised(world) == []
    assert [one.values["name"] for one in world.alerts("over")] == [alert]
    assert world.channels[0].said == [(alert, False), (alert, True)]


@pytest.mark.parametrize("alert", [name for name, least in LEAST.items() if least > 1])
def test_a_little_of_it_is_no_news(world: Watched, alert: str) -> None:
    for _ in range(2 * HOURS):
        hour(world, **{OF_RATE[alert].replace("-", "_"): LEAST[alert] - 1})
    assert world.ledger.newest("alert") == []


def test_an_hour_in_which_the_app_was_down_is_not_judged(world: Watched) -> None:
    hour(world, UploadArrived=1)
    world.pass_time(2 * 3600)
    for _ in range(HOURS - 1):
        hour(world, UploadArrived=1)
    assert raised(world) == []


def test_what_waits_while_work_is_paused_is_not_abandoned(world: Watched) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)), within=0)
    world.tell(WorkPaused(operation="o1", by="key:operator", reason="month end"), within=0)
    for _ in range((HOURS + 2) * 60):
        world.minute()
        assert raised(world) == []
    assert (world.state("dataset", "bank:1"), world.pipeline.submissions) == ("registered", [])
    world.tell(WorkResumed(operation="o2", by="key:operator", reason=""), within=0)
    assert [one.version for one in world.pipeline.submissions] == [1]
