"""One run of a scenario under one schedule, and what the oracles say of it."""

from __future__ import annotations

import hashlib
import json
import logging
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any
from zlib import decompress

from simulation.choices import Deviations, Taken
from simulation.oracles import ORACLES, Run, again_nothing, no_row_in_a_log, outcome
from simulation.remembered import check_anew
from simulation.scenarios import SCENARIOS, Scenario, beginning
from simulation.world import World

THOROUGH = 16
"""Of so many schedules one is read with its log lines, and all its messages are told again."""
POLLED, POLLED_AT = 512, 8
"""Of so many schedules one is polled over the HTTP API meanwhile: the one that leaves this remainder, no thorough one."""


@dataclass(frozen=True)
class Result:
    """What came of a run."""

    scenario: str
    seed: int
    taken: tuple[Taken, ...]
    points: int
    violations: tuple[str, ...]
    fingerprint: int
    thorough: bool = False
    """Whether I8 and I9 were looked at as well."""
    polled: bool = False
    """Whether a program polled the HTTP API meanwhile."""

    @property
    def replay(self) -> str:
        """What `./dev simulate --replay` takes."""
        choices = ",".join(f"{one.at}={one.option}" for one in self.taken)
        return f"{self.scenario}:{self.seed}:{choices}"


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def _read(lines: _Lines) -> Iterator[None]:
    root = logging.getLogger()
    before, disabled = root.level, logging.root.manager.disable
    root.addHandler(lines)
    root.setLevel(logging.INFO)
    logging.disable(logging.NOTSET)
    try:
        yield
    finally:
        root.removeHandler(lines)
        root.setLevel(before)
        logging.disable(disabled)


def run(
    scenario: Scenario,
    seed: int,
    deviations: Deviations,
    *,
    thorough: bool = False,
    polled: bool = False,
    watch: Callable[[World], None] = lambda world: None,
) -> Result:
    """thorough: I8 and I9 are looked at as well, or else polled: what the HTTP API says meanwhile

    watch: told of the world before it goes on
    """
    world = scenario.world(seed, deviations)
    watch(world)
    poller = _poller(world) if polled else None
    lines = _Lines()
    if thorough:
        check_anew()
        with _read(lines):
            violations = _judged(scenario, world)
        violations += [
            f"I9 nothing of a row in a log: {one}"
            for one in no_row_in_a_log(_over(scenario, world), lines.lines)
        ]
        taken, points, fingerprint = (
            tuple(world.choices.taken),
            world.choices.passed,
            world.choices.fingerprint,
        )
        if not violations and not scenario.gives_up:  # what waits for a person is tried again, if it may be
            violations += [f"I8 again, nothing: {one}" for one in again_nothing(_over(scenario, world))]
    else:
        violations = _judged(scenario, world)
        taken, points, fingerprint = (
            tuple(world.choices.taken),
            world.choices.passed,
            world.choices.fingerprint,
        )
    if poller:
        violations += [f"the API: {one}" for one in poller.wrong]
    return Result(scenario.name, seed, taken, points, tuple(violations), fingerprint, thorough, polled)


def _poller(world: World) -> Any:
    """The HTTP API is loaded where it is asked, and not where there is none: in a browser."""
    from simulation.polling import Poller

    return Poller(world)


def _over(scenario: Scenario, world: World) -> Run:
    return Run(world, beginning(scenario))


def _judged(scenario: Scenario, world: World) -> list[str]:
    wanted = plain(scenario)[0]

    def wrong() -> list[str]:
        over = _over(scenario, world)
        found = [said for name, oracle in ORACLES.items() for said in _said(name, partial(oracle, over))]
        return found + _said("outcome", partial(scenario.validate, over, wanted))

    found: list[str] = []

    def settled() -> bool:
        found[:] = wrong()
        return not found

    world.run(settled=settled)
    return [f"I7 everything ends: {world.never_ends}"] if world.never_ends else found


def _said(name: str, ask: Callable[[], Iterable[str]]) -> list[str]:
    """What an oracle says; that it cannot read what is stored is a finding too, and no end of all runs."""
    try:
        return [f"{name}: {one}" for one in ask()]
    except Exception as fault:  # noqa: BLE001  (whatever it is, the schedule is to be shown)
        return [f"{name}: it cannot be told: {type(fault).__name__}: {fault}"]


@cache
def plain(scenario: Scenario) -> tuple[dict[str, Any], int]:
    """What comes of the plain order, and how many choice points it has."""
    world = scenario.world(0, {})
    world.run()
    return outcome(_over(scenario, world)), world.choices.passed


def run_hash(scenario: Scenario, seed: int, deviations: Deviations) -> str:
    """Of every choice point, every choice and all that is stored in the end: the same on every Python."""
    world = scenario.world(seed, deviations)
    world.run()
    stored = [
        [partition, row, _plain(value.value), value.etag, value.changed.isoformat()]
        for table in (world.table, world.present)
        for (partition, row), value in sorted(table._rows.items())
    ]
    blobs = [
        [*place, blob.etag, hashlib.sha256(data).hexdigest()]
        for place, (blob, data) in sorted(world.files._blobs.items())
    ]
    choices = [world.choices.passed, world.choices.fingerprint, [str(one) for one in world.choices.taken]]
    said = json.dumps([choices, stored, blobs], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """A claim without the compression of its outcome, which differs between builds of zlib."""
    if value.get("state") != "settled" or "outcome" not in value:
        return value
    return {**value, "outcome": decompress(b64decode(value["outcome"])).decode()}


def read_replay(text: str) -> tuple[Scenario, int, dict[int, int]]:
    """What `Result.replay` wrote. raises: ValueError, KeyError"""
    name, seed, choices = text.split(":")
    pairs = (one.split("=") for one in choices.split(",") if one)
    return scenario_of(name), int(seed), {int(at): int(option) for at, option in pairs}


def scenario_of(name: str) -> Scenario:
    """raises: KeyError"""
    return SCENARIOS[name]
