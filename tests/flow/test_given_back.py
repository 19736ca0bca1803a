"""A fact that its worker could not begin is the next delivery's: a failed attempt is not taken for one at work."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from flow.world import POLICY, World, bank_rows

from functions import delivery
from shared import flow
from shared.adapters.memory import MemoryTable
from shared.domain.facts import (
    DatasetDue,
    OperationRequested,
    ReconcileDue,
    RetryRequested,
    RunMoved,
    StepDeadLettered,
    WorkPaused,
)
from shared.domain.names import digest
from shared.errors import Conflict, InProgress, Transient
from shared.ports import RunView
from shared.steps.register_dataset import register_dataset


class Failing(MemoryTable):
    """A table of which one write is not answered, or done and answered as if another had been quicker."""

    verb, problem, does = "", Transient, False
    first = True

    def _or(self, verb: str, partition: str, call: Any) -> Any:
        fails = self.first and (verb, partition) == (self.verb, partition if verb == "insert" else "now")
        if not fails:
            return call()
        self.first = False
        if self.does:
            call()
        raise self.problem

    def insert(self, *given: Any) -> Any:
        return self._or("insert", given[0], lambda: super(Failing, self).insert(*given))

    def commit(self, *given: Any) -> Any:
        return self._or("commit", given[0], lambda: super(Failing, self).commit(*given))


def asked() -> OperationRequested:
    paused = WorkPaused(operation="o1", by="key:operator", reason="month end")
    return OperationRequested(operation="o1", action="pause", by="key:operator", facts=[paused.to_json()])


def test_an_action_that_could_not_be_begun_is_begun_when_it_is_asked_for_again() -> None:
    """The operation's record is there by then, so a client that asks again is told that it was accepted."""
    world = World()
    failing = Failing(now=world.now)
    failing.verb, world.present = "commit", failing
    with pytest.raises(Transient):
        flow.handle(asked(), world.services)
    assert world.state("operation", "o1") is not None
    world.pass_time(1)
    flow.handle(asked(), world.services)
    assert world.ledger.outbox.counted().done["OperationRequested"] == 1


def test_a_dead_letter_that_could_not_be_begun_is_not_lost() -> None:
    """Nothing but its message knows of it: a sweep would not find it."""
    world = World()
    failing = Failing(now=world.now)
    failing.verb, world.present = "commit", failing
    dead = StepDeadLettered(queue="steps", about="what nobody can read", reason="it is no JSON")
    with pytest.raises(Transient):
        world.deliver(dead)
    world.pass_time(1)
    world.deliver(dead)
    assert len(world.ledger.newest("failure")) == 1


@pytest.mark.parametrize("problem", [Transient, Conflict], ids=["no answer", "tried again"])
def test_a_claim_whose_answer_was_lost_is_its_workers(problem: type[Transient]) -> None:
    world = World()
    failing = Failing(now=world.now)
    failing.verb, failing.problem, failing.does, world.table = "insert", problem, True, failing
    flow.handle(asked(), world.services)
    assert world.ledger.outbox.counted().done["OperationRequested"] == 1


def test_an_insert_that_storage_never_saw_is_no_claim() -> None:
    world = World()
    failing = Failing(now=world.now)
    failing.verb, world.table = "insert", failing
    with pytest.raises(Transient):
        flow.handle(asked(), world.services)
    flow.handle(asked(), world.services)
    assert world.ledger.outbox.counted().done["OperationRequested"] == 1


def test_a_worker_that_was_away_for_longer_than_its_lease_logs_no_event_twice() -> None:
    """It claimed the fact, and stood still before it began it; by then another has done it."""
    world = World()
    paused, there = asked(), MemoryTable.insert

    class Away(MemoryTable):
        def insert(self, *given: Any) -> Any:
            row = there(self, *given)
            if given[1] == digest(paused.key) and not world.ledger.newest("operation"):
                world.pass_time(POLICY.claim_seconds + 1)
                flow.handle(paused, world.services)
            return row

    world.table = Away(now=world.now)
    with pytest.raises(Conflict):
        flow.handle(paused, world.services)
    flow.handle(paused, world.services)
    logged = [entry.value["id"] for entry in world.ledger.events.newest()]
    assert len(logged) == len(set(logged))
    assert world.ledger.outbox.counted().done["OperationRequested"] == 1


class Down(MemoryTable):
    """A table that does not answer for a while."""

    until = 0
    """Calls."""

    def _answers(self, call: Any) -> Any:
        if self.until:
            self.until -= 1
            raise Transient
        return call()

    def get(self, *given: Any) -> Any:
        return self._answers(lambda: super(Down, self).get(*given))

    def replace(self, *given: Any) -> Any:
        return self._answers(lambda: super(Down, self).replace(*given))

    def insert(self, *given: Any) -> Any:
        row = super().insert(*given)
        self.until = 2 if given[0].startswith("fact-") else 0
        return row


def test_what_could_not_even_be_given_back_is_not_taken_for_being_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Storage is away when the fact is begun, and when its claim is given back: nothing but the message knows of it."""
    world = World()
    world.table = Down(now=world.now)
    monkeypatch.setattr("shared.wiring.services", lambda: world.services)
    dead = StepDeadLettered(queue="steps", about="what nobody can read", reason="it is no JSON")
    with pytest.raises(Transient):
        delivery.deliver(dead)
    world.pass_time(POLICY.claim_seconds / 2)
    with pytest.raises(InProgress):
        delivery.deliver(dead)
    world.pass_time(POLICY.claim_seconds)
    delivery.deliver(dead)
    assert len(world.ledger.newest("failure")) == 1


def test_a_version_whose_worker_died_is_announced_by_who_finishes_the_next_one() -> None:
    """The next version's worker made it, and died as well; both of its attempts have to say so."""
    world = World()
    for name in ("may.csv", "june.csv"):
        admitted(world, name)
    due = [DatasetDue(dataset="bank", cause=cause) for cause in ("a", "b")]
    world.pass_time(60)
    without_settling(due[0], world)
    admitted(world, "july.csv")
    world.pass_time(60)
    without_settling(due[1], world)
    world.pass_time(POLICY.claim_seconds + 1)
    world.tell(due[0], due[1])
    assert [record.state for record in world.ledger.newest("upload")] == ["registered"] * 3
    assert {record.id for record in world.ledger.newest("dataset")} == {"bank:1", "bank:2"}


def admitted(world: World, name: str) -> None:
    world.tell(world.drop(name, bank_rows(5, start=sum(map(ord, name)))), within=0)
    world.due.clear()


def without_settling(due: DatasetDue, world: World) -> None:
    """Its step is done, and its worker dies before it writes down what came of it."""
    register_dataset(due, world.services)


def test_what_a_fact_says_is_told_though_its_step_fails_at_every_attempt() -> None:
    """A run has completed, and its documents cannot be read: that it completed is known, and told once."""
    world = World()
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.workspace.runs["bank-v1-a1"] = RunView(name="bank-v1-a1", status="Completed")
    for minute in range(world.policy.most_attempts + 2):
        with suppress(Transient):
            world.tell(ReconcileDue(tick=str(minute)), RunMoved(run="bank-v1-a1"))
        world.pass_time(world.policy.claim_seconds + 1)

    def told() -> int:
        types = [entry.value["type"] for entry in world.ledger.events.newest(limit=200)]
        return types.count("Campanha.RunCompleted.v1")

    assert (world.state("run", "bank-v1-a1"), told()) == ("completed", 1)
    [failure] = world.ledger.newest("failure")
    world.finish_run("bank-v1-a1")
    world.tell(RetryRequested(failure=failure.id, about=failure.values["about"], operation="o"))
    assert (world.state("run", "bank-v1-a1"), told()) == ("accepted", 1)


def test_events_logged_by_themselves_are_logged_once_where_the_client_tried_again() -> None:
    """Storage logged them, the answer was lost, and the client, which asked once more, was told of a conflict."""
    world = World()
    flow.handle(asked(), world.services)
    logged = next(row.value for row in world.present.rows("now", after="event-", before="event."))
    more = {**logged, "event": {**logged["event"], "id": "another"}}
    failing = Failing(now=world.now, _rows=world.present._rows, _partitions=world.present._partitions)
    failing.verb, failing.does, failing.problem = "commit", True, Conflict
    world.present = failing
    world.ledger.outbox.append([more])
    assert [entry.value["id"] for entry in world.ledger.events.newest()].count("another") == 1
