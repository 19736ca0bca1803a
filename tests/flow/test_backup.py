"""A backup is taken while the day goes on, a while later all is lost but files and workspace, and the ledger is restored.

From any moment of the day the restored ledger comes to the same end: nothing is lost, and nothing happens twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flow.test_crashes import (
    Fuse,
    calls_that_matter,
    drain,
    end_runs,
    live_through,
    outcome,
)
from flow.world import World

from commands.recovery.snapshot import snapshot
from commands.recovery.tables import write
from shared.adapters.memory import MemoryTable
from shared.domain.facts import ReconcileDue, ScoringDue
from shared.ports import Row

TICK = timedelta(microseconds=1)
PORTS = ("table", "present", "files", "pipeline", "workspace", "bus")


class Destroyed(BaseException):
    """The tables are gone, and with them whatever ran."""


@dataclass
class Read:
    """A table as it was read at some moment."""

    rows: list[Row]

    def partition(self, name: str) -> Iterable[Row]:
        return [row for row in self.rows if row.partition == name]

    def everything(self) -> Iterable[Row]:
        return self.rows


class Camera(Fuse):
    """Copies the ledger at a call of the day: the present first, the past some calls later; then all is destroyed.

    Each call is a moment of its own, by the clock that the tables go by.
    """

    def __init__(self, at: int, *, gap: int, early: int = 0) -> None:
        """early: how many ticks before the copy the cut is put, to be on the safe side of storage's clocks"""
        super().__init__()
        self.early = early
        self.taken_at, self.gap = at, gap
        self.world: Any = None
        self.present = self.past = Read([])
        self.cut = datetime.max.replace(tzinfo=UTC)

    def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        port = method.__self__  # type: ignore[attr-defined]
        if self.world is None and isinstance(port, MemoryTable):
            self.world = port.now.__self__  # type: ignore[attr-defined]
        if self.world is not None:
            self.world.time += TICK
        if self.burning:
            self.calls += 1
            self._look()
        return method(*args, **kwargs)

    def _look(self) -> None:
        if self.calls == self.taken_at:
            self.cut = self.world.time - self.early * TICK
            self.present = Read(self._rows("present"))
        if self.calls == self.taken_at + self.gap:
            self.past = Read(self._rows("table"))
        if self.calls == self.taken_at + 2 * self.gap + 1:
            raise Destroyed

    def _rows(self, name: str) -> list[Row]:
        bare = getattr(self.world, name)
        return list(getattr(bare, "_port", bare)._rows.values())


def restored(live: Callable[[Fuse], World], at: int, gap: int, early: int = 0) -> World:
    """The world at the end of its day."""
    camera = Camera(at, gap=gap, early=early)
    try:
        world = live(camera)
    except Destroyed:
        world = camera.world
    bare = {name: getattr(getattr(world, name), "_port", getattr(world, name)) for name in PORTS}
    rows = list(snapshot(camera.present, camera.past, cut=camera.cut))
    again = World(time=world.time, policy=world.policy, workspace=world.workspace, endpoint=world.endpoint)
    for name in ("files", "pipeline", "workspace"):
        setattr(again, name, bare[name])
    write(rows, {"past": again.table, "present": again.present})
    return went_on(again)


def went_on(world: World, *, minutes: int = 60) -> World:
    ports = {name: getattr(world, name) for name in PORTS}
    for minute in range(minutes):
        end_runs(ports)
        world.due += [
            (world.time, ReconcileDue(tick=f"again {minute}")),
            (world.time, ScoringDue(tick=f"again {minute}")),
        ]
        drain(world, ports, until=world.time + timedelta(minutes=1), lost=True)
        world.time += timedelta(minutes=1)
    return world


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    return outcome(live_through(Fuse()))


@pytest.mark.parametrize(
    ("gap", "every"),
    [
        (0, 23),
        (3, 23),
        (60, 149),
        (200, 149),
        *(pytest.param(gap, 1, marks=pytest.mark.slow) for gap in (0, 3)),
        *(pytest.param(gap, 11, marks=pytest.mark.slow) for gap in (60, 200)),
    ],
)
def test_from_a_backup_of_any_moment_the_day_comes_to_the_same_end(
    undisturbed: dict[str, Any], gap: int, every: int
) -> None:
    """gap: calls of the day between the copy of the present and that of the past, and until the end of both"""
    differing = []
    for at in range(2, calls_that_matter() + 1, every):
        seen = outcome(restored(live_through, at, gap))
        if seen != undisturbed:
            differing.append((at, {name: seen[name] for name in seen if seen[name] != undisturbed[name]}))
    assert differing == []


def test_a_cut_that_is_put_earlier_than_the_copy_costs_only_work(undisturbed: dict[str, Any]) -> None:
    """Clocks of storage differ: what was done just before the copy is done again, and makes no difference."""
    differing = []
    for at in range(6, calls_that_matter() + 1, 13):
        seen = outcome(restored(live_through, at, 3, early=30))
        if seen != undisturbed:
            differing.append((at, {name: seen[name] for name in seen if seen[name] != undisturbed[name]}))
    assert differing == []
