"""One thing that cannot be read keeps no other waiting; a clock that keeps failing is seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from flow.world import World, bank_rows

from shared import flow
from shared.adapters.memory import MemoryFiles
from shared.domain import names
from shared.domain.facts import (
    BatchDue,
    ClockRecovered,
    DatasetDue,
    EndpointProbeDue,
    Fact,
    NotificationDue,
    ReconcileDue,
    RunDue,
    ScoringDue,
    StepDeadLettered,
    TrafficStrayed,
    UploadArrived,
)
from shared.errors import GivenUp, Transient
from shared.ledger.documents import Documents
from shared.ports import Blob, Upsert
from shared.procedures import clock_health
from shared.procedures.isolation import each_by_itself
from shared.procedures.run_slot import SLOT
from shared.steps import reconcile

ARCHIVED = "blob storage, at scoring/old.csv, answered 409 BlobArchived"


class Shelved(MemoryFiles):
    """Blobs of some names lie in the archive: their names are listed, and no byte of them can be read."""

    archived: frozenset[str] = frozenset()

    def read_range(self, blob: Blob, start: int, end: int) -> bytes:
        if blob.name in self.archived:
            raise Transient(ARCHIVED)
        return super().read_range(blob, start, end)


@pytest.fixture
def world() -> World:
    """A released model, and two files of clients of which the first cannot be read."""
    world = World()
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    files = Shelved(now=world.now)
    files._blobs.update(world.files._blobs)
    files._etags = iter(range(100, 200))
    world.files = files
    clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(5).splitlines()) + "\n"
    for name in ("old.csv", "today.csv"):
        files.write(names.SCORING, name, clients.encode())
    files.archived = frozenset({"old.csv"})
    return world


def _batches(world: World) -> dict[str, str]:
    return {record.values["name"]: record.state for record in world.ledger.newest("batch")}


def _deliver_all(world: World) -> None:
    """As queues do: what fails is delivered again, in the end to nobody."""
    for _ in range(8):
        for fact in world.bus.take():
            try:
                flow.handle(fact, world.services, expected=True)
            except Transient:
                world.bus.publish([fact])
            except GivenUp:
                continue


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_scored(world: World) -> None:
    flow.handle(ScoringDue(tick="1"), world.services)
    _deliver_all(world)
    assert _batches(world)["today.csv"] == "scored"


def test_it_is_a_batch_of_its_own_that_fails_by_its_name(world: World) -> None:
    led_to = flow.handle(ScoringDue(tick="1"), world.services)
    old = next(fact for fact in led_to if isinstance(fact, BatchDue) and fact.name == "old.csv")
    with pytest.raises(Transient, match=r"at scoring/old\.csv"):
        flow.handle(old, world.services, expected=True)
    entry = world.ledger.claims.find(old.key)
    assert entry is not None
    assert entry.value["last_error"] == f"Transient: {ARCHIVED}"
    flow.handle(
        StepDeadLettered(queue="steps", about=old.key, reason=f"Transient: {ARCHIVED}"), world.services
    )
    (batch,) = [record for record in world.ledger.newest("batch") if record.values["name"] == "old.csv"]
    assert batch.state == "due"
    assert ARCHIVED in batch.values["reason"]
    assert "is retried" in batch.values["reason"]


def test_every_part_has_its_turn_and_the_first_failure_is_raised_last() -> None:
    def part(number: int) -> Iterator[int]:
        yield number
        if number in (2, 3):
            raise Transient(f"part {number}")

    got: list[int] = []
    with pytest.raises(Transient, match="part 2"):
        got.extend(each_by_itself(part, [1, 2, 3, 4]))
    assert got == [1, 2, 3, 4]


def test_a_part_of_the_reconciliation_that_fails_keeps_no_other_from_its_turn(world: World) -> None:
    world.files.write(names.INCOMING, "june.csv", bank_rows(3, start=500).encode())
    world.pass_time(60)
    with (
        mock.patch.object(reconcile, "_unfinished", side_effect=Transient("the outbox")),
        pytest.raises(Transient, match="the outbox"),
    ):
        flow.handle(ReconcileDue(tick="1"), world.services)
    assert [fact.name for fact in world.bus.published if isinstance(fact, UploadArrived)][-1:] == ["june.csv"]


def test_a_dataset_that_fails_keeps_no_other_dataset_from_its_turn(world: World) -> None:
    """In each part of a reconciliation: it is the one that is looked at first."""
    world.contracts = world.contracts[::-1]
    assert [contract.dataset for contract in world.contracts] == ["bank-additional", "bank"]
    world.policy = replace(world.policy, endpoint_probe_seconds=60)
    flow.handle(world.drop("june.csv", bank_rows(3, start=500)), world.services)  # a window opens
    slot = world.ledger.documents.read(SLOT, "bank")
    assert slot
    world.ledger.documents.delete(SLOT, slot)  # a version waits for its run
    world.workspace.states["campanha-bank", "model-9"] = "Succeeded"
    world.workspace.set_traffic("campanha-bank", {"model-9": 100})
    world.pass_time(300)
    world.bus.take()
    reads, traffic_of = Documents.read, world.workspace.traffic_of

    def read(self: Documents, document: Any, part: str, **more: Any) -> Any:
        if part == "bank-additional":
            raise Transient("its row")
        return reads(self, document, part, **more)

    def traffic(endpoint: str) -> dict[str, int]:
        if endpoint == "campanha-bank-additional":
            raise Transient("its endpoint")
        return traffic_of(endpoint)

    with (
        mock.patch.object(Documents, "read", read),
        mock.patch.object(world.workspace, "traffic_of", traffic),
        pytest.raises(Transient),
    ):
        flow.handle(ReconcileDue(tick="1"), world.services)
    due = {type(fact) for fact in world.bus.take() if getattr(fact, "dataset", "") == "bank"}
    assert due == {DatasetDue, RunDue, TrafficStrayed, EndpointProbeDue}


def test_what_waits_and_is_no_fact_is_one_failure_and_keeps_no_other_waiting(world: World) -> None:
    world.ledger.outbox.expect([BatchDue(name="a.csv", etag="1"), BatchDue(name="b.csv", etag="1")])
    first, _ = list(world.present.rows("now", after="open-", before="open-~"))
    unread = '{"fact": "BatchDue", "name": 57, "etag": "1"}'
    world.present.commit("now", [Upsert(row=first.row, value={"fact": unread})])
    for tick in ("1", "2"):
        world.pass_time(300)
        world.tell(ReconcileDue(tick=tick))
    (failure,) = world.ledger.newest("failure")
    assert failure.values["about"] == first.row
    assert "its name is no str" in failure.values["reason"]
    assert len(world.ledger.newest("batch")) == 1, "the other was taken up"


# --- clocks ---------------------------------------------------------------------------------------------------


def _tick(world: World, number: int) -> None:
    with mock.patch.object(world.files, "list", side_effect=Transient("no list")), pytest.raises(Transient):
        flow.tick(ScoringDue(tick=str(number)), world.services)


def _failures(world: World) -> list[tuple[str, str, str]]:
    found = [record for record in world.ledger.newest("failure") if record.values["queue"] == "clock"]
    return [(record.state, record.values["about"], record.values["reason"]) for record in found]


def test_a_clock_that_fails_three_times_in_a_row_is_a_failure(world: World) -> None:
    for number in (1, 2):
        _tick(world, number)
    assert _failures(world) == []
    assert clock_health.unwell(world.services) == {}
    _tick(world, 3)
    ((state, about, reason),) = _failures(world)
    assert (state, about) == ("dead-lettered", "ScoringDue")
    assert "3 times in a row" in reason
    assert "Transient: no list" in reason
    assert clock_health.unwell(world.services) == {"ScoringDue": reason}
    for number in (4, 5, 6, 7):
        _tick(world, number)
    assert len(_failures(world)) == 1


def test_once_it_works_again_the_failure_is_resolved_and_the_next_one_is_another(world: World) -> None:
    for number in range(3):
        _tick(world, number)
    flow.tick(ScoringDue(tick="good"), world.services)
    assert [state for state, _, _ in _failures(world)] == ["resolved"]
    assert clock_health.unwell(world.services) == {}
    for number in (10, 11):
        _tick(world, number)
    assert len(_failures(world)) == 1, "the count began anew"
    _tick(world, 12)
    assert [state for state, _, _ in _failures(world)] == ["dead-lettered", "resolved"]


def test_a_clocks_failure_is_told_and_resolved_whoever_dies_before_that(world: World) -> None:
    """What made the clock fail, most likely: storage does not answer."""
    with mock.patch.object(flow, "_tell", side_effect=Transient("died")):
        for number in range(4):
            _tick(world, number)
    assert _failures(world) == []
    _tick(world, 4)
    assert [state for state, _, _ in _failures(world)] == ["dead-lettered"]
    handle = flow.handle

    def dies(fact: Fact, *given: Any, **named: Any) -> Any:
        if isinstance(fact, ClockRecovered):
            raise Transient("died")
        return handle(fact, *given, **named)

    with mock.patch.object(flow, "handle", dies):
        flow.tick(ScoringDue(tick="good"), world.services)
    assert [state for state, _, _ in _failures(world)] == ["dead-lettered"]
    flow.tick(ScoringDue(tick="good again"), world.services)
    assert [state for state, _, _ in _failures(world)] == ["resolved"]


def test_a_clock_that_works_costs_one_small_read(world: World) -> None:
    with mock.patch.object(world.present, "get", wraps=world.present.get) as read:
        assert list(clock_health.succeeded(ScoringDue(tick="1"), world.services)) == []
    assert read.call_count <= 1


def test_a_subscriber_whose_cursor_cannot_be_kept_keeps_no_other_waiting() -> None:
    from shared.steps import notify_subscribers as step

    told: list[str] = []

    def deliver(subscriber: mock.Mock, *_: object) -> Iterator[NotificationDue]:
        if subscriber.name == "first":
            raise Transient("the table")
        told.append(subscriber.name)
        yield from ()

    subscribers = [mock.Mock(), mock.Mock()]
    subscribers[0].name, subscribers[1].name = "first", "second"
    services = mock.Mock(subscribers=subscribers)
    with mock.patch.object(step, "_deliver", deliver), pytest.raises(Transient, match="the table"):
        list(step.notify_subscribers(NotificationDue(tick="1"), services))
    assert told == ["second"]


def test_subscribers_that_are_behind_share_one_notification_more() -> None:
    """One for each would be two at the next step, and then four."""
    from shared.steps import notify_subscribers as step

    def deliver(subscriber: mock.Mock, *_: object) -> Iterator[NotificationDue | StepDeadLettered]:
        yield StepDeadLettered(queue="subscriber", about=str(subscriber), reason="it is gone")
        yield NotificationDue(tick=f"1/{subscriber}")

    services = mock.Mock(subscribers=["a", "b", "c"])
    with mock.patch.object(step, "_deliver", deliver):
        led_to = list(step.notify_subscribers(NotificationDue(tick="1"), services))
    assert [type(fact) for fact in led_to].count(NotificationDue) == 1
    assert len(led_to) == 4
