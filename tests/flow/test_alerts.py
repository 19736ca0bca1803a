"""People are told: once for each cause, and once more when it is over; of what did not happen, too."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flow.alerting import MONDAY, Channel, Watched, waking
from flow.test_crashes import Fuse, Killed, Wired
from flow.test_table_calls import Calls, Counted
from flow.world import POLICY, bank_rows

from shared import flow
from shared.domain import alerts
from shared.domain.facts import (
    AlertCheckDue,
    AlertDeliveryDue,
    AlertTestRequested,
    ReconcileDue,
    RetryRequested,
    ScoringDue,
    StepDeadLettered,
)
from shared.domain.kinds.kind import Change
from shared.errors import Conflict, Refused, Transient
from shared.procedures.alert_cursor import ALERT_CURSOR, notifier_status
from shared.procedures.clock_health import HEARTBEAT, SWEEP
from shared.procedures.mended_rates import RATES

EIGHT = MONDAY.replace(hour=8, minute=0)
LATE = ("file-late", False)
CAME = ("file-late", True)


# --- a file that does not come ------------------------------------------------------------------------------


@pytest.mark.parametrize("failing", [0, 2])
def test_a_file_that_does_not_come_is_told_within_a_minute_once_and_once_more_when_it_came(
    failing: int,
) -> None:
    """The same when the first two tries fail."""
    world = waking()
    (channel,) = world.channels
    channel.problems = [Transient("on-call answered 503"), Refused("on-call answered 400")][:failing]
    while world.time < EIGHT:
        world.minute()
    assert channel.heard == []
    assert channel.tries == 0
    world.minute()
    assert world.time == EIGHT + timedelta(minutes=1)
    assert channel.said == [LATE]
    assert channel.tries == 1 + failing
    (message,) = channel.heard
    assert message.since == "2026-11-30T08:00:00.000+00:00"
    assert "no file of bank was admitted, expected by 08:00 (Europe/Lisbon)" in message.says
    assert message.mend == "./dev drop FILE"
    (alert,) = world.alerts()
    assert message.link == f"https://campanha.example/dashboard/#/alerts/{alert.id}"
    world.minutes(120)
    assert channel.said == [LATE]
    world.tell(world.drop("monday.csv", bank_rows(30)), within=30)
    world.minutes(3)
    assert channel.said == [LATE, CAME]
    assert channel.heard[1].alert == alert.id
    world.minutes(180)
    assert channel.said == [LATE, CAME]
    assert world.state("alert", alert.id) == "over"


def test_a_file_that_comes_in_time_is_no_news() -> None:
    world = waking()
    world.minutes(3)
    world.tell(world.drop("monday.csv", bank_rows(30)), within=30)
    world.minutes(60)
    assert world.channels[0].heard == []
    assert world.ledger.newest("alert") == []


def test_a_file_that_is_rejected_is_not_what_was_waited_for() -> None:
    world = waking()
    world.minutes(3)
    world.tell(world.drop("monday.csv", "name;phone\nMaria;1\n"), within=30)
    world.minutes(10)
    assert LATE in world.channels[0].said


def test_one_that_is_missing_for_days_is_one_thing_that_is_the_matter() -> None:
    world = waking()
    world.minutes(20)
    for _ in range(4):
        world.pass_time(24 * 3600 - 1200)
        world.minutes(20)
    assert world.channels[0].said == [LATE]
    world.tell(world.drop("monday.csv", bank_rows(30)), within=30)
    world.minutes(2)
    assert world.channels[0].said == [LATE, CAME]


def test_the_next_day_is_told_anew_and_a_late_file_counts_for_its_own_day() -> None:
    world = waking()
    world.minutes(60)
    world.tell(world.drop("monday.csv", bank_rows(30)), within=30)
    world.minutes(2)
    world.time = EIGHT + timedelta(days=1, minutes=-5)
    world.minutes(10)
    late = [message for message in world.channels[0].heard if message.name == "file-late"]
    assert [message.over for message in late] == [False, True, False]
    assert len({message.alert for message in late}) == 2


def test_an_app_that_was_down_over_the_hour_takes_in_what_lies_there_before_it_says_late() -> None:
    world = waking()
    world.minutes(3)
    world.drop("monday.csv", bank_rows(30))  # its event is lost with the app
    world.time = EIGHT + timedelta(hours=2)
    world.minutes(5)
    assert world.channels[0].heard == []


def test_an_app_that_was_down_over_the_hour_says_late_when_nothing_came() -> None:
    world = waking()
    world.minutes(3)
    world.time = EIGHT + timedelta(hours=2)
    world.minutes(3)
    assert world.channels[0].said == [LATE]
    assert world.channels[0].heard[0].since == "2026-11-30T08:00:00.000+00:00"


def test_right_after_a_gap_absence_is_not_judged_however_often_the_clock_ticks() -> None:
    world = waking()
    world.minutes(3)
    world.time = EIGHT + timedelta(hours=2)
    for _ in range(3):
        flow.tick(ReconcileDue(tick=f"{world.time}"), world.services)
        world.pass_time(15)
    assert world.ledger.newest("alert") == []


def test_a_gap_ends_no_alert() -> None:
    world = waking()
    world.minutes(15)
    world.pass_time(3600)
    world.minutes(3)
    assert world.channels[0].said == [LATE]


def test_a_tick_a_moment_before_the_hour_by_storages_clock_does_not_wait_a_minute() -> None:
    world = waking(at=MONDAY - timedelta(seconds=1))
    while world.time < EIGHT:
        world.minute()
    assert world.channels[0].said == [LATE]


def test_a_list_that_is_not_scored_by_its_hour_is_late_until_one_is() -> None:
    world = waking({"time_zone": "UTC", "batches": {"by": "09:30", "at_most_hours_old": 24}})
    world.tell(world.drop("may.csv", bank_rows(30)), within=60)
    world.finish_run("bank-v1-a1", within=60)
    while world.time < MONDAY.replace(hour=9, minute=31):
        world.minute()
    assert world.channels[0].said == [("batch-late", False)]
    clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(9).splitlines()) + "\n"
    world.files.write("scoring", "clients.csv", clients.encode())
    world.minute(ScoringDue)
    world.minutes(2)
    assert world.channels[0].said == [("batch-late", False), ("batch-late", True)]


# --- one cause, one alert -----------------------------------------------------------------------------------


def test_a_thousand_files_that_fail_for_one_reason_are_one_message_and_end_with_the_last() -> None:
    world = waking({"files": {"at_most_hours_old": 8000}})
    dead = [
        StepDeadLettered(
            queue="blob-events", about=f"upload/f{n}.csv/0x{n}",
            reason=f"it failed 5 times, the last time with Transient: 'f{n}.csv' could not be read in {n} s",
        )
        for n in range(1000)
    ]  # fmt: skip
    for n, fact in enumerate(dead):
        world.deliver(fact)
        if n == 400:
            world.minute()
    world.minutes(2)
    assert world.channels[0].said == [("step-failed", False)]
    (alert,) = world.alerts()
    assert alert.values["affected_count"] == 1000
    assert alert.values["says"].startswith("401 of them; the first: upload/f0.csv/0x0 was dead-lettered")
    for failure in world.ledger.newest("failure", limit=2000):
        world.deliver(RetryRequested(failure=failure.id, about="none", operation=failure.id))
    world.minutes(2)
    assert world.channels[0].said == [("step-failed", False), ("step-failed", True)]
    assert world.ledger.present().causes.open == {}


def test_a_cause_is_open_until_the_last_of_it_is_mended() -> None:
    world = waking({"files": {"at_most_hours_old": 8000}})
    for name in ("a", "b"):
        world.deliver(StepDeadLettered(queue="steps", about=name, reason="Transient: away"))
    world.minutes(2)
    first, last = world.ledger.newest("failure")
    world.deliver(RetryRequested(failure=first.id, about="none", operation="1"))
    world.minutes(2)
    assert world.channels[0].said == [("step-failed", False)]
    assert [one.values["affected_count"] for one in world.alerts()] == [1]
    world.deliver(RetryRequested(failure=last.id, about="none", operation="2"))
    world.minutes(2)
    assert world.channels[0].said == [("step-failed", False), ("step-failed", True)]


def test_another_reason_is_another_alert() -> None:
    world = waking()
    for reason in ("Transient: storage does not answer", "Transient: the workspace does not answer"):
        world.deliver(StepDeadLettered(queue="steps", about=reason, reason=reason))
    world.minutes(2)
    assert world.channels[0].said == [("step-failed", False)] * 2


def test_however_much_is_past_a_look_costs_the_same() -> None:

    class CountedWatched(Watched):
        def __post_init__(self) -> None:
            super().__post_init__()
            self.calls = Calls()
            self.table: Any = Counted(self.table, self)  # type: ignore[arg-type]
            self.present: Any = Counted(self.present, self)  # type: ignore[arg-type]

    def calls_of(past: int) -> tuple[int, int]:
        world = CountedWatched(time=MONDAY)
        world.minutes(3)
        for n in range(past):
            for state in ("raised", "over"):
                change = Change(kind="alert", id=f"old-{n:012x}", state=state, values={"name": "x"})
                world.ledger.outbox.append(world.ledger.records.apply([change], cause=f"{n}"))
        world.channels = [Channel()]
        for tick in ("warm", "counted"):
            world.calls.handled = Counter()
            flow.handle(AlertCheckDue(tick=tick, clock="ReconcileDue"), world.services)
            flow.handle(AlertDeliveryDue(tick=tick), world.services)
        return world.calls.handled.total(), past

    few, many = calls_of(100), calls_of(2000)
    assert few[0] == many[0] <= 6


# --- whatever dies ------------------------------------------------------------------------------------------


def _told_once(fuse: Fuse) -> Watched:
    world = waking()
    bare = {name: getattr(world, name) for name in ("table", "present", "bus")}
    fuse.burning = False
    while world.time < EIGHT - timedelta(minutes=1):
        world.minute()
    for name, port in bare.items():
        setattr(world, name, Wired(port, fuse))
    fuse.burning = True
    for minute in range(12):
        if minute == 5:
            fuse.burning = False
            world.due.append((world.time, world.drop("monday.csv", bank_rows(30))))
            fuse.burning = True
        ends = world.time + timedelta(minutes=1)
        try:
            world.minute()
        except Killed:
            world._take()
        while world.time < ends:
            try:
                world.until(ends)
            except (Killed, Conflict):
                world._take()
    for name, port in bare.items():
        setattr(world, name, port)
    return world


@pytest.mark.parametrize("every", [17, pytest.param(1, marks=pytest.mark.slow)])
def test_a_crash_at_any_call_raises_once_and_ends_once(every: int) -> None:
    whole = Fuse()
    _told_once(whole)
    assert whole.calls > 100
    for at in range(1, whole.calls + 1, every):
        for after in (False, True):
            world = _told_once(Fuse(at, after=after))
            said = world.channels[0].said
            assert [one.state for one in world.ledger.newest("alert")] == ["over"], at
            assert list(dict.fromkeys(said)) == [LATE, CAME], (at, said)
            assert len(said) <= 3, "a worker that dies between message and cursor repeats one"


def test_two_hosts_that_look_at_the_same_moment_raise_one_alert_and_send_one_message() -> None:
    world = waking()
    while world.time < EIGHT:
        world.minute()
    first = flow.handle(AlertCheckDue(tick="a", clock="ReconcileDue"), world.services)
    second = flow.handle(AlertCheckDue(tick="b", clock="ReconcileDue"), world.services)
    assert first == second
    assert len(first) == 1
    for fact in (*first, *second):
        flow.handle(fact, world.services)
    for tick in ("a", "b"):
        flow.handle(AlertDeliveryDue(tick=tick), world.services)
    assert world.channels[0].said == [LATE]


def test_while_one_worker_tells_another_leaves_the_channel_alone() -> None:
    world = waking()
    while world.time < EIGHT:
        world.minute()
    for fact in flow.handle(AlertCheckDue(tick="a", clock="ReconcileDue"), world.services):
        flow.handle(fact, world.services)

    class Slow(Channel):
        def send(self, message: Any) -> None:
            if not self.heard:
                self.heard.append(message)
                flow.handle(AlertDeliveryDue(tick="other"), world.services)
            else:
                raise AssertionError("told twice")

    world.channels = [Slow(name="on-call")]
    flow.handle(AlertDeliveryDue(tick="a"), world.services)
    assert len(world.channels[0].heard) == 1


def test_an_alert_that_another_worker_records_is_told_at_once_all_the_same() -> None:
    world = waking()
    while world.time < EIGHT:
        world.minute()
    (raised,) = flow.handle(AlertCheckDue(tick="a", clock="ReconcileDue"), world.services)
    world.tell(raised, within=1)  # from the queue, and no clock ticks
    assert world.channels[0].said == [LATE]


def test_a_channel_that_takes_long_is_left_before_its_lease_ends() -> None:
    world = waking({"files": {"at_most_hours_old": 8000}})

    class Slow(Channel):
        def send(self, message: Any) -> None:
            super().send(message)
            world.pass_time(20)

    world.channels = [Slow(name="on-call")]
    for n in "abcdefgh":
        world.deliver(StepDeadLettered(queue="steps", about=n, reason=f"Transient: {n}"))
    began = world.time
    flow.tick(ReconcileDue(tick="1"), world.services)
    assert world.time - began < timedelta(seconds=120)
    world.minutes(3)
    assert len(world.channels[0].heard) == 8


# --- who tells ----------------------------------------------------------------------------------------------


def test_a_channel_that_fails_holds_up_no_other_and_the_others_tell_of_it() -> None:
    world = waking(channels=2)
    dead, sound = world.channels
    dead.problems = [Refused("on-call answered 404")] * 8
    world.minutes(15)
    assert ("channel-failing", False) in sound.said
    assert sound.said[0] == LATE
    said = next(one.says for one in sound.heard if one.name == "channel-failing")
    assert "on-call took no message at 3 tries: on-call answered 404" in said
    assert notifier_status(world.ledger.present().each(ALERT_CURSOR)) == "warn"
    world.minutes(60)
    assert dead.said[0] == LATE, "nothing was given up"
    assert sound.said[-1] == ("channel-failing", True)
    assert notifier_status(world.ledger.present().each(ALERT_CURSOR)) == "pass"


def test_tries_come_seldom_to_who_takes_nothing_and_soon_at_first() -> None:
    world = waking()
    (channel,) = world.channels
    channel.problems = [Transient("down")] * 1000
    while world.time < EIGHT:
        world.minute()
    world.minute()
    assert channel.tries == 3, "at once, after 10 s, and after 20 s more"
    world.minutes(60)
    assert channel.tries < 15
    assert notifier_status(world.ledger.present().each(ALERT_CURSOR)) == "fail"


def test_a_new_channel_hears_of_what_is_the_matter_and_of_nothing_that_is_over() -> None:
    world = waking()
    world.deliver(StepDeadLettered(queue="steps", about="x", reason="a"))
    world.minutes(2)
    (failure,) = world.ledger.newest("failure")
    world.deliver(RetryRequested(failure=failure.id, about="x", operation="o"))
    world.minutes(15)
    assert len(world.channels[0].said) == 3
    world.channels = [*world.channels, Channel(name="new")]
    world.minutes(2)
    assert world.channels[1].said == [LATE]


def test_a_channel_that_the_settings_have_no_more_is_forgotten() -> None:
    world = waking(channels=2)
    world.channels[1].problems = [Transient("down")] * 99
    world.minutes(20)
    world.channels = world.channels[:1]
    world.minutes(2)
    assert set(world.ledger.present().each(ALERT_CURSOR)) == {"on-call"}
    assert ("channel-failing", True) in world.channels[0].said


def test_a_test_says_what_came_of_it_in_each_channel_and_has_what_waits_told_at_once() -> None:
    world = waking(channels=2)
    dead = world.channels[1]
    dead.problems = [Transient("down")] * 6
    while world.time < EIGHT + timedelta(minutes=5):
        world.minute()
    waited = len(dead.problems)
    assert not dead.heard
    dead.problems = []
    world.tell(AlertTestRequested(operation="o", by="key:operator"), within=1)
    assert waited == 0 or waited < 6
    (test,) = [one for one in world.ledger.newest("alert") if one.values["name"] == "test"]
    assert test.state == "over"
    assert [one["outcome"] for one in test.values["deliveries"]] == ["delivered"] * 2
    assert dead.said[0] == ("test", False)
    assert LATE in dead.said
    dead.problems = [Refused("channel-1 answered 404")]
    world.tell(AlertTestRequested(operation="p", by="key:operator"), within=1)
    (test,) = [one for one in world.ledger.newest("alert") if one.state == "failed"]
    assert test.values["reason"] == "channel-1: channel-1 answered 404"


def test_without_a_channel_a_test_says_so() -> None:
    world = waking(channels=0)
    world.tell(AlertTestRequested(operation="o", by="key:operator"), within=1)
    (test,) = world.ledger.newest("alert")
    assert test.state == "failed"
    assert "no alert channel is set up" in test.values["reason"]


# --- a reconciliation that does not run ---------------------------------------------------------------------


def test_a_reconciliation_that_does_not_run_is_told_by_the_scoring_clock() -> None:
    world = waking({"files": {"at_most_hours_old": 8000}})
    world.minutes(3)
    for _ in range(10):
        world.minute(ScoringDue)
    assert world.channels[0].said == [("sweep-late", False)]
    world.minutes(2)
    assert world.channels[0].said == [("sweep-late", False), ("sweep-late", True)]


def test_a_look_that_fails_stops_no_clock_and_writes_no_heartbeat(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = waking()
    world.minutes(3)
    before = world.ledger.documents.read(HEARTBEAT, SWEEP)
    monkeypatch.setitem(flow.STEPS, AlertCheckDue, lambda *_: 1 / 0)
    world.minutes(3)
    after = world.ledger.documents.read(HEARTBEAT, SWEEP)
    assert before
    assert after
    assert before.value == after.value
    told = [
        record.getMessage()
        for record in caplog.records
        if "the next tick tries again" in record.msg % record.args
    ]
    assert len(told) == 3
    assert all("ZeroDivisionError" in line for line in told)


# --- what waits, and what takes too long --------------------------------------------------------------------


def test_a_version_that_waits_for_its_run_is_told_of_after_a_day() -> None:
    world = Watched(policy=replace(POLICY, run_least_new_rows=1000), time=MONDAY)
    world.channels = [Channel()]
    world.tell(world.drop("may.csv", bank_rows(30)), within=60)
    world.finish_run("bank-v1-a1", within=60)
    world.tell(world.drop("june.csv", bank_rows(30, start=100)), within=60)
    assert world.state("dataset", "bank:2") == "waiting"
    world.minutes(5)
    assert world.channels[0].said == []
    world.pass_time(24 * 3600)
    world.minutes(2)
    assert world.channels[0].said == [("run-waiting", False)]


def test_each_alert_of_the_table_has_what_raises_it() -> None:
    absent = {"endpoint-unhealthy", "file-late", "batch-late", "sweep-late", "channel-failing"}
    assert {one.name for one in alerts.ALERTS if not one.opens} == absent | {rate.alert for rate in RATES}
