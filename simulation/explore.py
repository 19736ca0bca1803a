"""Exploration: which schedules are run. Each deviation alone, all pairs of crashes, and others by chance, from a seed.

A schedule is a scenario, a seed (how many instances there are, and how wrong their clocks) and the choices that differ from
the plain order. Work is cut into pieces that any process can do; what comes of a piece depends on nothing but itself.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from itertools import islice, zip_longest
from math import inf
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

from simulation.choices import Point, Random, drawn
from simulation.processes import DIED_AFTER, DIED_BEFORE, FAILED
from simulation.runs import POLLED, POLLED_AT, THOROUGH, Result, plain, run, scenario_of
from simulation.scenarios import SCENARIOS, Scenario
from simulation.world import World

PIECE, ALONE = 100, 15
"""Schedules by chance of one piece, and choice points of one whose deviations are tried alone: some seconds of work, so
that a run ends soon after its time is over."""
MOST_FAILURES = 20
"""So many are enough to look at."""


GARBAGE = 200_000
"""Objects more than before, after which Python looks for cycles; a run makes some thousands."""


@dataclass(frozen=True)
class Piece:
    """Some of the schedules."""

    kind: str
    """`alone`, `pairs` or `chance`."""
    seed: int = 0
    start: int = 0
    stop: int = 0
    """By chance: the schedules' numbers. Alone and pairs: the choice points at which the first deviation is; alone without
    any: all."""
    scenario: str = ""


@dataclass
class Account:
    """What came of some schedules."""

    schedules: int = 0
    points: int = 0
    polled: int = 0
    by_scenario: Counter[str] = field(default_factory=Counter)
    failures: list[Result] = field(default_factory=list)
    ids: set[int] = field(default_factory=set)
    """A digest of each schedule, to count those that differ."""

    def add(self, result: Result) -> None:
        self.schedules += 1
        self.points += result.points
        self.polled += result.polled
        self.by_scenario[result.scenario] += 1
        self.ids.add(int.from_bytes(blake2b(result.replay.encode(), digest_size=8).digest()))
        if result.violations and len(self.failures) < MOST_FAILURES:
            self.failures.append(result)

    def take(self, other: Account) -> None:
        self.schedules += other.schedules
        self.points += other.points
        self.polled += other.polled
        self.by_scenario += other.by_scenario
        self.ids |= other.ids
        self.failures = (self.failures + other.failures)[:MOST_FAILURES]


@dataclass
class Progress:
    """How far an exploration is: what came of its first pieces."""

    pieces: int = 0
    account: Account = field(default_factory=Account)
    seconds: float = 0.0
    """Of work, whatever lay between."""

    def add(self, account: Account) -> None:
        """Of the next piece."""
        self.pieces += 1
        self.account.take(account)


def pieces(
    schedules: int, seed: int, *, scenarios: Sequence[str] = (), alone: bool = True, pairs: bool = False
) -> Iterator[Piece]:
    """So many schedules, each deviation alone and the others by chance; pairs, if they are wanted, are more. What is by
    chance comes between the others: a run that is cut short has some of each."""
    named = list(scenarios or SCENARIOS)
    listed = [*(_alone_pieces(named) if alone else ()), *(_pair_pieces(named) if pairs else ())]
    others = max(0, schedules - sum(map(tried_alone, named))) if alone else schedules
    for one, start in zip_longest(listed, range(0, others, PIECE)):
        if one is not None:
            yield one
        if start is not None:
            stop = min(start + PIECE, others)
            yield Piece(kind="chance", seed=seed, start=start, stop=stop, scenario=",".join(scenarios))


@cache
def tried_alone(name: str) -> int:
    """How many deviations of the plain order there are."""
    scenario = SCENARIOS[name]
    return sum(len(point.options) for point in points_of(scenario, {})) if scenario.begins else 0


def _alone_pieces(names: Iterable[str]) -> Iterator[Piece]:
    for name in names:
        if SCENARIOS[name].begins:
            points = plain(SCENARIOS[name])[1]
            yield from (
                Piece(kind="alone", scenario=name, start=at, stop=at + ALONE)
                for at in range(1, points + 1, ALONE)
            )


def _pair_pieces(names: Iterable[str]) -> Iterator[Piece]:
    for name in names:
        if SCENARIOS[name].begins:
            points = plain(SCENARIOS[name])[1]
            yield from (
                Piece(kind="pairs", scenario=name, start=at, stop=at + 4) for at in range(1, points + 1, 4)
            )


def done(piece: Piece, *, until: Callable[[Account], bool] = lambda account: False) -> Account:
    """Does a piece. until: whether that is enough"""
    account = Account()
    for result in results(piece):
        account.add(result)
        if until(account):
            break
    return account


def results(piece: Piece) -> Iterator[Result]:
    """What came of each schedule of a piece, one after the other."""
    if piece.kind == "alone":
        yield from _alone(scenario_of(piece.scenario), piece.start, piece.stop or inf)
    elif piece.kind == "pairs":
        for at in range(piece.start, piece.stop):
            yield from _pairs(scenario_of(piece.scenario), at)
    else:
        names = piece.scenario.split(",") if piece.scenario else list(SCENARIOS)
        yield from (by_chance(piece.seed, number, names) for number in range(piece.start, piece.stop))


def by_chance(seed: int, number: int, names: Sequence[str]) -> Result:
    """The schedule of that number: the same whoever asks for it."""
    random = Random(seed, number)
    scenario = _drawn(random, [SCENARIOS[name] for name in names])
    points = plain(scenario)[1]
    own = random.below(1 << 32) + 1
    thorough, polled = number % THOROUGH == 0, number % POLLED == POLLED_AT
    return run(scenario, own, drawn(random, points), thorough=thorough, polled=polled)


def _drawn(random: Random, scenarios: Sequence[Scenario]) -> Scenario:
    """By their shares: short stretches are tried more often than days."""
    at = random.below(sum(one.share for one in scenarios))
    for one in scenarios:
        at -= one.share
        if at < 0:
            return one
    raise AssertionError("shares add up")


def points_of(scenario: Scenario, deviations: dict[int, int]) -> list[Point]:
    """All choice points of a run, in order."""
    world = scenario.world(0, deviations, noting=True)
    world.run()
    return list(world.choices.noted or ())


def _alone(scenario: Scenario, first: int, last: float) -> Iterator[Result]:
    """Each option of each of these choice points of the plain order, by itself; thoroughly. last: is none of them"""
    for at, point in enumerate(points_of(scenario, {}), 1):
        if not first <= at < last:
            continue
        for option in range(1, len(point.options) + 1):
            yield run(scenario, 0, {at: option}, thorough=True)


def _pairs(scenario: Scenario, first: int) -> Iterator[Result]:
    """A crash at this choice point, and another one after it, at each point of the recovery too."""
    before = points_of(scenario, {})
    for option in (option for at, option in crashes(before) if at == first):
        after = points_of(scenario, {first: option})
        for second, other in crashes(after):
            if second > first:
                deviations = {first: option, second: other}
                yield run(scenario, 0, deviations, thorough=second % THOROUGH == 0)


def crashes(points: Sequence[Point]) -> list[tuple[int, int]]:
    """The crashes that leave something else behind than the one before: at a handler's first call, and after each write.

    What dies between two effects leaves the same, whichever call it was about to make: nothing of it is left but what is
    stored. So "before it" is asked of no call that follows another of the same handler.
    returns: the numbers of the points, with their options
    """
    found, follows = list[tuple[int, int]](), False
    for number, point in enumerate(points, 1):
        is_call = FAILED in point.options
        if is_call and not follows:
            found.append((number, point.options.index(DIED_BEFORE) + 1))
        if DIED_AFTER in point.options:
            found.append((number, point.options.index(DIED_AFTER) + 1))
        follows = is_call
    return found


def begin() -> None:
    """In each process that runs schedules."""
    import gc
    import logging

    from simulation import determinism

    logging.disable(logging.CRITICAL)  # but where lines are read
    determinism.install()
    gc.freeze()
    gc.set_threshold(GARBAGE, 10, 1000)  # a run leaves cycles, and soon: all that was there before stays


def _begin_worker() -> None:
    Thread(target=_end_with_the_parent, daemon=True).start()
    begin()


def _end_with_the_parent() -> None:
    """However that ends: what a worker does is of use to nobody else."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def explored(
    work: Iterable[Piece],
    *,
    workers: int,
    most_seconds: float = inf,
    progress: Progress | None = None,
    told: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """All pieces done, by so many processes; stops early once it has failures enough, or the time is over.

    progress: of an earlier run of the same work, which goes on here. told: now and then of how far it is
    """
    progress, began = progress or Progress(), time.monotonic()
    worked = progress.seconds
    left = enumerate(islice(work, progress.pieces, None), progress.pieces)
    ready: dict[int, Account] = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin_worker) as pool:
        under_way = {pool.submit(done, piece): at for at, piece in islice(left, workers * 2)}
        while under_way:
            ended = wait(under_way, return_when=FIRST_COMPLETED).done
            ready |= {under_way.pop(one): one.result() for one in ended}
            while (account := ready.pop(progress.pieces, None)) is not None:
                progress.add(account)
            progress.seconds = worked + time.monotonic() - began
            if len(progress.account.failures) < MOST_FAILURES and time.monotonic() - began < most_seconds:
                under_way |= {pool.submit(done, piece): at for at, piece in islice(left, len(ended))}
            told(progress)
    return progress


def reached() -> set[str]:
    """The names of the facts that the scenarios' plain orders hand to the app."""
    found: set[str] = set()
    for scenario in SCENARIOS.values():
        if not scenario.begins:
            world: World = scenario.world(0, {})
            world.run()
            found |= world.host.handled
    return found


def figures(progress: Progress, **more: Any) -> dict[str, Any]:
    """What came of it, as JSON."""
    account, seconds = progress.account, progress.seconds
    return {
        "schedules": account.schedules,
        "distinct": len(account.ids),
        "choicePoints": account.points,
        "polled": account.polled,
        "violations": len(account.failures),
        "seconds": round(seconds, 1),
        "perSecond": round(account.schedules / seconds) if seconds else 0,
        "byScenario": dict(sorted(account.by_scenario.items())),
        **more,
    }
