"""Of crashes that leave the same behind one is tried: what is left out leaves nothing else, whichever call was to come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from simulation import determinism
from simulation.explore import crashes, points_of
from simulation.processes import DIED_AFTER, DIED_BEFORE, Process
from simulation.scenarios import SCENARIOS, Scenario


@pytest.fixture(autouse=True, scope="module")
def _installed() -> Iterator[None]:
    with determinism.installed():
        yield


def _left_behind(scenario: Scenario, at: int, option: int) -> Any:
    """All that is durable at the moment of the death, by its version; None where nobody died."""
    world, left = scenario.world(0, {at: option}), []
    died = Process.die

    def dies(process: Process) -> None:
        left.append(
            (
                [sorted((key, row.etag) for key, row in table._rows.items()) for table in (world.table, world.present)],
                sorted((place, blob.etag) for place, (blob, _) in world.files._blobs.items()),
                sorted((place, sorted(blocks)) for place, blocks in world.files._blocks.items()),
                [len(made.submissions) for made in world.pipelines.values()],
                [(what, told) for _, what, told in world.workspace.log if what != "answered"],
                sorted((type(event).__name__, str(event)) for _, event in world.pending.values()),
            )
        )  # fmt: skip
        died(process)

    with mock.patch.object(Process, "die", dies):
        world.run()
    return left[0] if left else None


@pytest.mark.parametrize("name", ["start", "call", "admit", "release", "score"])
def test_a_crash_that_is_left_out_leaves_what_another_leaves(name: str) -> None:
    scenario = SCENARIOS[name]
    points = points_of(scenario, {})
    tried, left_out = crashes(points), 0
    there: Any = None
    for at, point in enumerate(points, 1):
        for option in (DIED_BEFORE, DIED_AFTER):
            if option not in point.options:
                continue
            number = point.options.index(option) + 1
            left = _left_behind(scenario, at, number)
            if (at, number) in tried:
                there = left or there
            else:
                left_out += 1
                assert left == there, f"choice {at}: {point.label} {option.name}"
    assert left_out > len(tried)
