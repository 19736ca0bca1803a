"""A machine whose clock is wrong loses no file."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flow.world import World, bank_rows

from shared.adapters.memory import MemoryFiles
from shared.domain.facts import ReconcileDue


def _reconcile(world: World, tick: str) -> None:
    world.tell(ReconcileDue(tick=tick))


@pytest.mark.parametrize("ahead", [20, 60 * 24 * 365])
def test_a_file_whose_event_is_lost_is_found_although_a_clock_was_ahead(ahead: int) -> None:
    """Storage has the right time, and the reconciler's clock was ahead of it by so many minutes."""
    world = World()
    right = world.time
    world.files = MemoryFiles(now=lambda: right)
    world.drop("first.csv", bank_rows(10))
    world.time = right + timedelta(minutes=ahead)
    for tick in ("0", "1"):  # the second one has nothing to find, and would move the mark on
        _reconcile(world, tick)
    right += timedelta(minutes=2)
    lost = world.drop("lost.csv", bank_rows(10, start=100))  # no event tells of it
    world.due.clear()
    world.time = right + timedelta(minutes=2)
    _reconcile(world, "2")
    assert world.state("upload", lost.key) is not None


def test_the_mark_does_not_pass_the_newest_blob(world: World) -> None:
    world.drop("first.csv", bank_rows(10))
    seen = world.time
    world.pass_time(3600 * 24)
    for tick in ("1", "2", "3"):
        _reconcile(world, tick)
    from shared.procedures.unseen_blobs import LISTED

    mark = world.ledger.documents.read(LISTED, "incoming")
    assert mark is not None
    assert mark.value.since == seen.isoformat()
