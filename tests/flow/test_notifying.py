"""Who subscribed is told of every event, in order, at least once, whatever fails in between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any
from unittest import mock

import pytest
from flow.test_crashes import MESSAGE_LEASE, Fuse, Killed, Wired
from flow.world import World, bank_rows

from shared.domain.facts import Fact, NotificationDue, ReconcileDue, StepDeadLettered
from shared.errors import Busy, CampanhaError, Gone, Refused, Transient
from shared.ledger.outbox import Outbox
from shared.services import Services
from shared.steps import notify_subscribers


@dataclass
class Listener:
    """A subscriber that keeps what it is told, and fails as the test says."""

    name: str = "listener"
    heard: list[dict[str, Any]] = field(default_factory=list)
    problem: CampanhaError | None = None
    takes: int = 1000
    """How many at a time."""
    shook_hands: int = 0
    consents: bool = True

    per_minute: int | None = None

    def handshake(self) -> int | None:
        self.shook_hands += 1
        if self.problem:
            raise self.problem
        return self.per_minute

    def deliver(self, events: Sequence[dict[str, Any]]) -> int:
        if self.problem:
            raise self.problem
        taken = list(events)[: self.takes]
        self.heard += taken
        return len(taken)


class Telling(World):
    """A world in which somebody has subscribed."""

    listeners: tuple[Listener, ...] = ()

    @property
    def services(self) -> Services:
        return replace(super().services, subscribers=self.listeners)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def telling(listener: Listener) -> Telling:
    made = Telling()
    made.listeners = (listener,)
    return made


def _events(world: World) -> list[str]:
    """The ids of all events, the oldest first."""
    return [entry.value["id"] for entry in reversed(world.ledger.events.newest(limit=200))]


def test_every_event_is_told_in_order_with_its_number(telling: Telling, listener: Listener) -> None:
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    telling.finish_run("bank-v1-a1")
    telling.tell(NotificationDue(tick="1"))
    assert [event["id"] for event in listener.heard] == _events(telling)
    sequences = [event["sequence"] for event in listener.heard]
    assert [int(sequence) for sequence in sequences] == list(range(len(listener.heard)))
    assert len(sequences) > 10, "10 comes after 9 as text too"
    assert sorted(sequences) == sequences
    kinds = [event["type"] for event in listener.heard]
    assert kinds[:3] == [
        "Campanha.UploadArrived.v1",
        "Campanha.UploadAdmitted.v1",
        "Campanha.DatasetRegistered.v1",
    ]
    assert "Campanha.ModelReleased.v1" in kinds
    assert listener.shook_hands == 1


def test_what_was_told_is_not_told_again(telling: Telling, listener: Listener) -> None:
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    telling.tell(NotificationDue(tick="1"), NotificationDue(tick="2"))
    telling.tell(ReconcileDue(tick="3"))
    assert [event["id"] for event in listener.heard] == _events(telling)


def test_a_subscriber_that_takes_a_few_at_a_time_gets_them_all(telling: Telling, listener: Listener) -> None:
    listener.takes = 1
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    telling.tell(NotificationDue(tick="1"))
    assert [event["id"] for event in listener.heard] == _events(telling)


def test_a_subscriber_that_is_down_is_told_later_and_asked_less_and_less(
    telling: Telling, listener: Listener
) -> None:
    listener.problem = Transient("down")
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    tries = []
    for minute in range(60):
        before = listener.shook_hands
        telling.tell(ReconcileDue(tick=str(minute)))
        tries += [minute] * (listener.shook_hands - before)
        telling.pass_time(60)
    assert 4 <= len(tries) <= 8
    pauses = [later - sooner for sooner, later in pairwise(tries)]
    assert pauses == sorted(pauses)
    listener.problem = None
    telling.pass_time(notify_subscribers.LONGEST)
    telling.tell(ReconcileDue(tick="up again"))
    assert [event["id"] for event in listener.heard] == _events(telling)


def test_one_that_is_down_keeps_no_other_waiting(telling: Telling, listener: Listener) -> None:
    deaf = Listener(name="deaf", problem=Transient("down"))
    telling.listeners = (deaf, listener)
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    telling.tell(NotificationDue(tick="1"))
    assert [event["id"] for event in listener.heard] == _events(telling)


def test_one_that_wants_to_hear_no_more_is_asked_no_more_and_a_person_is_told(
    telling: Telling, listener: Listener
) -> None:
    listener.problem = Gone()
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    telling.tell(NotificationDue(tick="1"))
    listener.problem = None
    telling.pass_time(100_000)
    telling.tell(ReconcileDue(tick="2"))
    assert listener.heard == []
    assert [fact.about for fact in telling.told(StepDeadLettered)] == ["listener/gone"]


def test_an_event_that_is_refused_for_good_is_passed_over_in_the_end(
    telling: Telling, listener: Listener
) -> None:
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    telling.tell(NotificationDue(tick="1"))
    before = len(listener.heard)
    telling.tell(telling.drop("june.csv", bank_rows(30, start=500)))
    listener.problem = Refused("413")
    for hour in range(notify_subscribers.MOST_REFUSALS + 1):
        telling.tell(ReconcileDue(tick=str(hour)))
        telling.pass_time(notify_subscribers.LONGEST + 1)
    listener.problem = None
    telling.tell(ReconcileDue(tick="well again"))
    passed_over = _events(telling)[before]
    assert [fact.about for fact in telling.told(StepDeadLettered)] == [passed_over]
    assert [event["id"] for event in listener.heard[before:]] == _events(telling)[
        before + 1 : len(listener.heard) + 1
    ]


@pytest.mark.parametrize("problem", [Gone(), Refused("413")], ids=["gone", "refused"])
def test_a_person_is_told_whoever_dies_before_that(
    telling: Telling, listener: Listener, problem: CampanhaError
) -> None:
    """Each worker dies once before what it found is in the outbox: no failure is lost, and no event without one."""
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    telling.tell(NotificationDue(tick="1"))
    telling.tell(telling.drop("june.csv", bank_rows(30, start=500)))
    listener.problem, expect, died = problem, Outbox.expect, list[str]()

    def dies_once(outbox: Outbox, facts: Iterable[Fact]) -> list[Fact]:
        found = list(facts)
        if not died and any(isinstance(fact, StepDeadLettered) for fact in found):
            died.append("here")
            raise Transient("died")
        return expect(outbox, found)

    with mock.patch.object(Outbox, "expect", dies_once):
        for hour in range(notify_subscribers.MOST_REFUSALS + 3):
            with suppress(Transient):
                telling.tell(NotificationDue(tick=f"at {hour}"))
            telling.pass_time(notify_subscribers.LONGEST + 1)
    assert died
    assert len(telling.told(StepDeadLettered)) == 1
    assert len(telling.ledger.newest("failure")) == 1


def test_one_that_does_not_consent_for_long_loses_no_event(telling: Telling, listener: Listener) -> None:
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    listener.problem = Refused("it did not answer the handshake")
    for hour in range(2 * notify_subscribers.MOST_REFUSALS):
        telling.tell(ReconcileDue(tick=str(hour)))
        telling.pass_time(notify_subscribers.LONGEST + 1)
    assert {fact.about for fact in telling.told(StepDeadLettered)} == {"listener"}
    listener.problem = None
    telling.tell(ReconcileDue(tick="it consents"))
    assert [event["id"] for event in listener.heard] == _events(telling)


def test_one_that_does_not_consent_for_long_and_is_gone_later_is_told_of_twice(
    telling: Telling, listener: Listener
) -> None:
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    listener.problem = Refused("it did not answer the handshake")
    for hour in range(notify_subscribers.MOST_REFUSALS + 1):
        telling.tell(ReconcileDue(tick=str(hour)))
        telling.pass_time(notify_subscribers.LONGEST + 1)
    listener.problem = None
    telling.tell(ReconcileDue(tick="it consents"))
    assert [event["id"] for event in listener.heard] == _events(telling)
    telling.tell(telling.drop("june.csv", bank_rows(30, start=500)))
    listener.problem = Gone()
    telling.tell(ReconcileDue(tick="it is gone"), ReconcileDue(tick="and stays so"))
    reasons = [fact.reason for fact in telling.told(StepDeadLettered)]
    assert reasons == ["it did not answer the handshake", "it wants to hear no more"]


@dataclass
class Picky(Listener):
    """Refuses one event, wherever it comes first."""

    not_this: str = ""

    def deliver(self, events: Sequence[dict[str, Any]]) -> int:
        if events[0]["id"] == self.not_this:
            raise Refused("413")
        return super().deliver([event for event in events if event["id"] != self.not_this])


def test_a_new_one_that_refuses_its_very_first_event_gets_the_others(telling: Telling) -> None:
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    first, *others = _events(telling)
    listener = Picky(not_this=first)
    telling.listeners = (listener,)
    for hour in range(notify_subscribers.MOST_REFUSALS + 1):
        telling.tell(ReconcileDue(tick=str(hour)))
        telling.pass_time(notify_subscribers.LONGEST + 1)
    telling.tell(ReconcileDue(tick="and then"))
    assert [event["id"] for event in listener.heard[: len(others)]] == others
    assert [fact.about for fact in telling.told(StepDeadLettered)] == [first]
    assert listener.shook_hands == 1


def test_a_topic_that_never_took_an_event_loses_none(telling: Telling) -> None:
    """Its handshake says nothing: its address, its key or a role may be wrong."""
    topic = Listener(name="topic", consents=False)
    telling.listeners = (topic,)
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    with mock.patch.object(topic, "deliver", side_effect=Refused("403")):
        for hour in range(2 * notify_subscribers.MOST_REFUSALS):
            telling.tell(ReconcileDue(tick=str(hour)))
            telling.pass_time(notify_subscribers.LONGEST + 1)
    telling.tell(ReconcileDue(tick="it has its role"))
    assert [event["id"] for event in topic.heard] == _events(telling)


def test_a_new_subscriber_is_told_the_newest(telling: Telling) -> None:
    for number in range(60):
        telling.tell(telling.drop(f"{number}.csv", "a;b\n1;2\n"))
    late = Listener(name="late")
    telling.listeners = (late,)
    telling.tell(NotificationDue(tick="1"))
    assert [event["id"] for event in late.heard] == _events(telling)[-notify_subscribers.FIRST_EVENTS :]


def test_two_workers_do_not_tell_the_same_subscriber_at_once(telling: Telling, listener: Listener) -> None:
    telling.tell(telling.drop("may.csv", bank_rows(30)))

    class Slow(Listener):
        def deliver(self, events: Sequence[dict[str, Any]]) -> int:
            telling.listeners = (listener,)
            telling.deliver(NotificationDue(tick="another worker"))
            return super().deliver(events)

    telling.listeners = (Slow(),)
    telling.tell(NotificationDue(tick="1"))
    assert listener.heard == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_leaves_no_event_untold(after: bool) -> None:
    calls = Fuse()
    _live(calls)
    assert calls.calls > 50
    for at in range(1, calls.calls + 1, 3):
        world, listener = _live(Fuse(at, after=after))
        world.pass_time(notify_subscribers.LEASE.total_seconds() + 1)
        world.tell(ReconcileDue(tick="1"))
        world.pass_time(world.policy.claim_seconds + 1)
        world.tell(ReconcileDue(tick="2"))
        world.tell(NotificationDue(tick="3"))
        heard = [event["id"] for event in listener.heard]
        assert list(dict.fromkeys(heard)) == _events(world), at
        reached = {(record.id, record.state) for record in world.ledger.newest("upload")}
        assert {state for _, state in reached} == {"registered"}, at


def _live(fuse: Fuse) -> tuple[Telling, Listener]:
    """A file comes and is told of, in a process that dies at the fuse."""
    world, listener = Telling(), Listener()
    world.listeners = (listener,)
    upload = world.drop("may.csv", bank_rows(3))
    bare = {name: getattr(world, name) for name in ("table", "present", "bus")}
    for name, port in bare.items():
        setattr(world, name, Wired(port, fuse))
    world.due = [(world.time, upload), (world.time, NotificationDue(tick="0"))]
    while world.due:
        world.due.sort(key=lambda item: item[0])
        when, fact = world.due.pop(0)
        world.time = max(world.time, when)
        try:
            world.deliver(fact)
        except Killed:
            world.due += [(world.time, told) for told in bare["bus"].take()]
            if not fact.hint:
                world.due.append((world.time + MESSAGE_LEASE, fact))
    for name, port in bare.items():
        setattr(world, name, port)
    return world, listener


@pytest.mark.parametrize("per_minute", [1, 4, 60])
def test_a_subscriber_gets_no_more_a_minute_than_it_grants(
    telling: Telling, listener: Listener, per_minute: int
) -> None:
    listener.per_minute = per_minute
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    telling.finish_run("bank-v1-a1")
    heard = [0]
    for second in range(0, 30 * 60, 10):
        telling.tell(NotificationDue(tick=f"at {second}"))
        heard.append(len(listener.heard))
        telling.pass_time(10)
    events = _events(telling)
    assert [event["id"] for event in listener.heard] == events[: len(listener.heard)]
    assert len(listener.heard) == len(events)
    assert all(after - before <= per_minute for before, after in zip(heard, heard[6:], strict=False))


@pytest.mark.parametrize("taken", [0, 2])
def test_a_subscriber_that_names_a_time_is_left_alone_till_then(
    telling: Telling, listener: Listener, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    asked: list[float] = []

    def deliver(events: Sequence[dict[str, Any]]) -> int:
        asked.append(telling.now().timestamp())
        if len(asked) == 1:
            listener.heard += events[:taken]
            raise Busy("later", seconds=4000, taken=taken)
        listener.heard += events
        return len(events)

    monkeypatch.setattr(listener, "deliver", deliver)
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    for minute in range(90):
        telling.tell(NotificationDue(tick=f"at {minute}"))
        telling.pass_time(60)
    assert asked[1] - asked[0] >= 4000
    assert [event["id"] for event in listener.heard] == _events(telling)


def test_two_that_are_behind_are_served_by_one_message_after_another_of_one_size(telling: Telling) -> None:
    telling.listeners = (Listener("a", takes=1), Listener("b", takes=1))
    telling.tell(telling.drop("may.csv", bank_rows(30)))
    telling.finish_run("bank-v1-a1")
    count = len(_events(telling))
    before = len(telling.bus.published)
    telling.tell(NotificationDue(tick="1"))
    sent = [fact for fact in telling.bus.published[before:] if isinstance(fact, NotificationDue)]
    assert [len(one.heard) for one in telling.listeners] == [count, count]
    assert len(sent) == count - 1
    assert max(len(fact.tick) for fact in sent) <= len(f"1/{count}")
