"""Many files whose events were lost: each reconciliation takes some, soon enough that who stops the app need not wait."""

from __future__ import annotations

from typing import Any
from unittest import mock

from flow.world import World

from shared import flow
from shared.adapters.memory import MemoryTable
from shared.domain.facts import Fact, ReconcileDue, UploadArrived
from shared.steps.reconcile import LONGEST_SEARCH, MOST_AT_ONCE


def missed(count: int) -> World:
    world = World()
    for number in range(count):
        world.files.write("incoming", f"{number:04}.csv", b"no table\n")
    world.pass_time(60)
    return world


def reconciled(world: World, tick: int) -> list[Fact]:
    """The files that are published."""
    flow.handle(ReconcileDue(tick=str(tick)), world.services)
    return [fact for fact in world.bus.take() if isinstance(fact, UploadArrived)]


def until_none_is_missed(world: World) -> list[int]:
    """Reconciles, and has each published file handled; how many each time."""
    counts = []
    while found := reconciled(world, len(counts)):
        counts.append(len(found))
        for fact in found:
            flow.handle(fact, world.services, expected=True)
        world.bus.take()
    return counts


def test_so_many_are_published_at_once_and_the_next_time_the_next() -> None:
    assert until_none_is_missed(missed(2 * MOST_AT_ONCE + 7)) == [MOST_AT_ONCE, MOST_AT_ONCE, 7]


def test_those_that_wait_in_the_queue_are_not_published_again() -> None:
    world = missed(2 * MOST_AT_ONCE)
    first = reconciled(world, 1)
    assert (len(first), reconciled(world, 2)) == (MOST_AT_ONCE, [])


def test_where_storage_is_slow_it_is_fewer_and_all_the_same_all() -> None:
    world, gets = missed(30), MemoryTable.get

    def slow(self: MemoryTable, *place: str) -> Any:
        world.pass_time(LONGEST_SEARCH.total_seconds() / 8)
        return gets(self, *place)

    with mock.patch.object(MemoryTable, "get", slow):
        counts = until_none_is_missed(world)
    assert sum(counts) == 30
    assert max(counts) <= 9


def test_however_slow_it_is_each_time_some_are_found() -> None:
    world, gets = missed(3), MemoryTable.get

    def slow(self: MemoryTable, *place: str) -> Any:
        world.pass_time(2 * LONGEST_SEARCH.total_seconds())
        return gets(self, *place)

    with mock.patch.object(MemoryTable, "get", slow):
        assert until_none_is_missed(world) == [2, 1]
