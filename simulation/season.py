"""Days of many files, each told of many times, with faults at every so many choice points: long, and seldom run.

The scenarios look at few facts closely; here thousands meet. Files of a day come evenly; a version is made of each hour's.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from simulation.bank import bank_rows
from simulation.choices import Random
from simulation.host import blob_created
from simulation.oracles import ORACLES, Run
from simulation.world import POLICY, Clock, Happens, World

DAY = 24 * 3600
CHUNK = 64 * 1024
"""As the real adapter: a manifest of thousands of parts is not read in thousands of calls."""
SWEEP_EVERY = 600
"""Seconds between two ticks of the reconciling clock: a tick each minute of a month shows no more."""


class Likely:
    """Deviations by chance at one of so many choice points."""

    def __init__(self, seed: int, one_in: int) -> None:
        self._random, self._one_in = Random(seed), one_in

    def get(self, at: int) -> int | None:
        random = self._random
        return 1 + random.below(840) if self._one_in and random.below(self._one_in) == 0 else None

    def clear(self) -> None:
        self._one_in = 0


def lived(*, days: int, uploads: int, copies: int, seed: int, one_in: int) -> dict[str, Any]:
    """uploads: files a day; copies: events of each; one_in: at one of so many choice points something goes wrong

    returns: what was done, how long it took, and what was broken
    """
    policy = replace(
        POLICY, gather_quiet_seconds=600, gather_longest_seconds=3600, gather_most_files=100, drift_rows=0
    )
    random, began = Random(seed, 1), time.monotonic()
    world = World(
        Likely(seed, one_in),
        seed=seed,
        policy=policy,
        instances=2 + random.below(7),
        skewed=True,
        endless=True,
        chunk=CHUNK,
    )
    for number in range(days * uploads):
        at = number * DAY / uploads
        world.later(at, Happens(_dropped(number, copies, random.below(2), random)))
    for at in range(SWEEP_EVERY, days * DAY, SWEEP_EVERY):
        world.later(at, Clock())
    broken: list[str] = []

    def settled() -> bool:
        broken[:] = [f"{name}: {one}" for name, oracle in ORACLES.items() for one in oracle(Run(world, None))]
        return not broken

    world.run(settled=settled)
    over = Run(world, None)
    states: dict[str, int] = {}
    for (kind, _), record in over.records.items():
        states[f"{kind} {record['state']}"] = states.get(f"{kind} {record['state']}", 0) + 1
    return {
        "days": days, "uploads": days * uploads, "events": days * uploads * copies, "seed": seed,
        "instances": world.instances, "choicePoints": world.choices.passed, "deviations": len(world.choices.taken),
        "seconds": round(time.monotonic() - began, 1), "states": dict(sorted(states.items())),
        "violations": broken[:20],
    }  # fmt: skip


def _dropped(number: int, copies: int, faulty: int, random: Random) -> Any:
    text = bank_rows(3, start=7 * number)
    if faulty:
        text = text.replace(";technician;", ";Zilpzalp;", 1)

    def act(world: World) -> None:
        name = f"{number:06}.csv"
        world.files.write("incoming", name, text.encode())
        blob = world.files.stat("incoming", name)
        assert blob is not None
        for _ in range(copies):
            world.later(random.below(120) + 0.2, blob_created("incoming", name, blob.etag))

    return act
