"""A message that is delivered again, while its fact is being done or after: it is published once, and costs little."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flow.world import World, bank_rows
from unit.ledger.interrupted import Interrupted, Once

from shared import flow
from shared.domain.facts import Fact
from shared.errors import Transient
from shared.ledger.outbox import _Transaction
from shared.ports import Delete


def published(world: World) -> list[Fact]:
    return [fact for fact in world.bus.take() if not fact.hint]


def test_a_fact_that_is_finished_is_looked_up_and_no_more() -> None:
    world = World()
    arrived = world.drop("may.csv", bank_rows(10))
    flow.handle(arrived, world.services)
    assert published(world)
    tables: Any = Interrupted(world.table), Interrupted(world.present)
    world.table, world.present = tables
    led_to = flow.handle(arrived, world.services)
    assert led_to
    assert published(world) == []
    calls = [dict(table.calls) for table in tables]
    assert calls == [{"insert": 1, "get": 1}, {"get": 1}]


def test_of_two_that_finish_a_fact_at_once_one_publishes() -> None:
    """The second delivery comes after the first has settled it, just before it is finished."""
    world = World()
    arrived = world.drop("may.csv", bank_rows(10))
    bare, sent = world.present, list[Fact]()

    def delivered_again() -> None:
        world.present = bare
        flow.handle(arrived, world.services)
        sent.extend(published(world))

    finishing = Once(
        "commit", delivered_again, when=lambda given: any(isinstance(write, Delete) for write in given[1])
    )
    slow: Any = Interrupted(bare, before=finishing)
    world.present = slow
    flow.handle(arrived, world.services)
    assert finishing.done
    assert sent
    assert published(world) == []
    assert world.ledger.outbox.counted().done["UploadArrived"] == 1


def test_of_two_that_take_a_settled_fact_up_again_the_slower_one_begins_nothing() -> None:
    """Its first worker had done the step, and failed to finish it. The slower one stands still before it would begin the
    fact, and goes on within the lease of the first: so it does not look whether somebody else was there."""
    world = World()
    arrived, bare = world.drop("may.csv", bank_rows(10)), world.present

    def no_answer(verb: str, given: tuple[Any, ...]) -> None:
        if verb == "commit" and any(isinstance(write, Delete) for write in given[1]):
            raise Transient("storage gave no answer")

    deaf: Any = Interrupted(bare, before=no_answer)
    world.present = deaf
    with pytest.raises(Transient):
        flow.handle(arrived, world.services)

    def taken_up() -> None:
        world.present = bare
        flow.handle(arrived, world.services)

    first_write = Once("commit", taken_up)
    slow: Any = Interrupted(bare, before=first_write)
    world.present = slow
    flow.handle(arrived, world.services)
    assert first_write.done
    world.present = bare
    assert not world.ledger.outbox.is_open(arrived)
    logged = [entry.value["id"] for entry in world.ledger.events.newest()]
    assert len(logged) == len(set(logged)) > 1


def test_a_fact_that_is_open_again_does_not_have_its_sequels_done_again() -> None:
    """A process stood still between looking whether a fact is done and saying that it is due; by then all was over."""
    world = World()
    arrived = world.drop("may.csv", bank_rows(10))
    world.tell(arrived)
    logged, done = world.ledger.events.count(), world.ledger.outbox.counted().done
    world.ledger.outbox._commit(_Transaction(opens=[arrived], renews=True))
    world.tell(arrived)
    assert world.ledger.outbox.counted().done == done + Counter({"UploadArrived": 1})
    assert world.ledger.events.count() == logged
    assert list(world.ledger.outbox.unfinished(older_than=timedelta(0))) == []
