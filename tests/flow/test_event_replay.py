"""A span of the event history is told once more: the same events with the same ids, whatever dies in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flow.test_crashes import Fuse, Wired, drain
from flow.test_notifying import Listener, Telling
from flow.world import bank_rows

from functions.http.problems import Problem
from functions.http.views.event_replay import asked, plan_of
from shared.domain.facts import EventReplayRequested, Fact, NotificationDue, ReconcileDue
from shared.errors import Busy, Refused, Transient
from shared.steps import replay_events

PORTS = ("table", "present", "bus")
HOUR = timedelta(hours=1)


def told(telling: Telling) -> Telling:
    """A file an hour, each with a dataset version; the listener has heard it all."""
    for name in ("may.csv", "june.csv", "july.csv"):
        telling.tell(telling.drop(name, bank_rows(5, start=10 * len(telling.files._blobs))))
        telling.pass_time(3600)
    telling.tell(NotificationDue(tick="1"))
    return telling


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def telling(listener: Listener) -> Telling:
    made = Telling()
    made.listeners = (listener,)
    return told(made)


def span_of(telling: Telling, first_hour: int, last_hour: int, **more: Any) -> EventReplayRequested:
    began = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    found = asked(
        began + first_hour * HOUR, began + last_hour * HOUR, more.get("type", ""), more.get("subscriber", ""),
        telling.services,
    )  # fmt: skip
    return EventReplayRequested(operation="o", **vars(found))


def test_the_events_of_a_span_come_again_with_their_ids_and_no_others(
    telling: Telling, listener: Listener
) -> None:
    first = list(listener.heard)
    asked_for = span_of(telling, 1, 2)
    listener.heard.clear()
    telling.tell(asked_for)
    june = [event for event in first if "2026-11-24T09" in event["time"]]
    assert 0 < len(june) < len(first)
    assert listener.heard == june


def test_the_subscribers_own_place_does_not_move(telling: Telling, listener: Listener) -> None:
    telling.tell(telling.drop("new.csv", bank_rows(5, start=900)))
    listener.heard.clear()
    telling.tell(span_of(telling, 0, 1))
    before = len(listener.heard)
    telling.tell(NotificationDue(tick="2"))
    assert {event["data"]["name"] for event in listener.heard[before:] if "name" in event["data"]} == {
        "new.csv"
    }


def test_a_type_and_a_subscriber_can_be_named(telling: Telling, listener: Listener) -> None:
    other = Listener(name="other")
    telling.listeners = (listener, other)
    telling.tell(NotificationDue(tick="2"))
    listener.heard.clear()
    other.heard.clear()
    telling.tell(span_of(telling, 0, 3, type="Campanha.Dataset", subscriber="other"))
    assert listener.heard == []
    assert {event["data"]["kind"] for event in other.heard} == {"dataset"}


def test_what_would_be_delivered_is_said_and_nothing_is(telling: Telling, listener: Listener) -> None:
    first = list(listener.heard)
    span = asked(datetime(2026, 11, 24, 8, tzinfo=UTC), None, "", "", telling.services)
    plan = plan_of(span, telling.services)
    assert plan["ids"] == [event["id"] for event in first]
    assert (plan["count"], plan["subscribers"]) == (len(first), ["listener"])
    assert listener.heard == first


@pytest.mark.parametrize(
    ("since", "until", "subscriber", "status"),
    [(5, 4, "", 400), (99, None, "", 400), (0, None, "nobody", 404)],
)
def test_what_cannot_be_is_refused(
    telling: Telling, since: int, until: int | None, subscriber: str, status: int
) -> None:
    began = datetime(2026, 11, 24, 8, 0)  # noqa: DTZ001  (a time without a zone is UTC)
    with pytest.raises(Problem) as refused:
        asked(
            began + since * HOUR,
            None if until is None else began + until * HOUR,
            "",
            subscriber,
            telling.services,
        )
    assert refused.value.status == status


def test_one_that_is_busy_gets_the_rest_when_it_says(telling: Telling, listener: Listener) -> None:
    first = list(listener.heard)
    listener.heard.clear()
    listener.problem = Busy("not now", seconds=600)
    asked_for = span_of(telling, 0, 3)
    telling.tell(asked_for, within=10)
    listener.problem = None
    at = telling.time
    telling.tell()
    assert (telling.time - at).total_seconds() >= 500
    assert listener.heard == first


def test_one_that_takes_a_few_at_a_time_gets_them_all_once(telling: Telling, listener: Listener) -> None:
    first = list(listener.heard)
    listener.heard.clear()
    listener.takes = 3
    telling.tell(span_of(telling, 0, 3))
    assert listener.heard == first


def test_one_that_granted_so_many_a_minute_gets_no_more(telling: Telling, listener: Listener) -> None:
    slow = Listener(name="slow", per_minute=4)
    telling.listeners = (slow,)
    telling.tell(NotificationDue(tick="2"))
    slow.heard.clear()
    telling.tell(span_of(telling, 0, 3, subscriber="slow"), within=59)
    assert len(slow.heard) == 4


@pytest.mark.parametrize("problem", [Refused("401"), Transient("down")])
def test_what_it_refuses_for_good_waits_for_a_person_who_has_it_go_on(
    telling: Telling, listener: Listener, problem: Exception
) -> None:
    listener.heard.clear()
    [due] = telling.deliver(span_of(telling, 0, 3)) or [one for _, one in telling.due]
    telling.due.clear()
    listener.problem = problem  # type: ignore[assignment]
    with pytest.raises(type(problem)):
        telling.deliver(due)
    assert telling.ledger.claims.find(due.key).value["state"] != "settled"  # type: ignore[union-attr]
    listener.problem = None
    telling.pass_time(telling.policy.claim_seconds + 1)
    telling.tell(due)
    assert listener.heard


def test_a_subscriber_that_is_set_up_no_more_is_passed_over(telling: Telling, listener: Listener) -> None:
    telling.listeners = (listener, Listener(name="gone"))
    telling.tell(NotificationDue(tick="2"))
    asked_for = span_of(telling, 0, 3)
    assert sorted(asked_for.subscribers) == ["gone", "listener"]
    telling.listeners = (listener,)
    telling.tell(asked_for)
    assert telling.due == []


def test_it_costs_what_the_span_costs_however_long_the_history(telling: Telling) -> None:
    """A page of the log each, and a bisection to find it."""

    def reads() -> int:
        fuse = Fuse()
        bare = telling.present, telling.table
        telling.present, telling.table = Wired(bare[0], fuse), Wired(bare[1], fuse)  # type: ignore[assignment]
        plan_of(asked(datetime(2026, 11, 24, 8, tzinfo=UTC), datetime(2026, 11, 24, 9, tzinfo=UTC), "", "",
                      telling.services), telling.services)  # fmt: skip
        telling.present, telling.table = bare
        return fuse.calls

    before = reads()
    for at in range(40):
        telling.tell(telling.drop(f"more-{at}.csv", bank_rows(2, start=2000 + 10 * at)))
    assert telling.ledger.events.count() > 200
    assert reads() <= before + 24  # of the bisection


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("every", [31, pytest.param(1, marks=pytest.mark.slow)])
def test_a_crash_at_any_call_loses_no_event_and_gives_none_another_id(
    monkeypatch: pytest.MonkeyPatch, after: bool, every: int
) -> None:
    monkeypatch.setattr(replay_events, "AT_ONCE", 4)
    monkeypatch.setattr(replay_events, "MOST", 8)

    def heard(fuse: Fuse) -> list[str]:
        telling, listener = Telling(), Listener()
        telling.listeners = (listener,)
        told(telling)
        asked_for: Fact = span_of(telling, 0, 3)
        listener.heard.clear()
        bare = {name: getattr(telling, name) for name in PORTS}
        for name, port in bare.items():
            setattr(telling, name, Wired(port, fuse))
        telling.listeners = (Wired(listener, fuse),)  # type: ignore[assignment]
        telling.due.append((telling.time, asked_for))
        for minute in range(30):
            telling.due.append((telling.time, ReconcileDue(tick=str(minute))))
            end = telling.time + timedelta(minutes=1)
            drain(telling, bare, until=end, lost=fuse.at is not None and fuse.at % 2 == 0)
            telling.time = end
        return [event["id"] for event in listener.heard if event["time"] < "2026-11-24T11"]

    fuse = Fuse()
    expected = heard(fuse)
    assert len(expected) == len(set(expected)) >= 16
    differing = []
    for at in range(1, fuse.calls + 1, every):
        found = heard(Fuse(at, after=after))
        repeats = len(found) - len(set(found))
        in_order = list(dict.fromkeys(found))
        if in_order != expected or repeats > replay_events.MOST:
            differing.append((at, len(found), repeats))
    assert differing == []
