"""Nothing that is promised breaks, whatever dies, is lost, late, or comes twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation import determinism, explore
from simulation.runs import plain, read_replay, run
from simulation.scenarios import SCENARIOS, Day, _outcomes, _withdraws
from simulation.shrink import in_words, shrunk
from simulation.world import Happens, World

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True, scope="module")
def _installed() -> Iterator[None]:
    with determinism.installed():
        yield


def held(account: explore.Account) -> None:
    """Fails with the smallest schedule that breaks something, and the command that runs it again."""
    for failure in sorted(account.failures, key=lambda one: len(one.taken))[:1]:
        small = shrunk(failure)
        again = f"./dev simulate --replay '{small.replay}'"
        pytest.fail("\n".join([in_words(small), *small.violations, again]))


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_plain_order_breaks_nothing(name: str) -> None:
    assert run(SCENARIOS[name], 0, {}, thorough=True).violations == ()


@pytest.mark.parametrize("name", ["start", "poison", "call", "tell"])
def test_no_single_deviation_breaks_anything(name: str) -> None:
    account = explore.done(explore.Piece(kind="alone", scenario=name))
    assert account.schedules == explore.tried_alone(name)
    assert account.schedules > plain(SCENARIOS[name])[1]
    held(account)


def test_schedules_by_chance_break_nothing() -> None:
    held(explore.done(explore.Piece(kind="chance", seed=1, start=0, stop=300)))


@pytest.mark.slow
def test_twenty_thousand_schedules_break_nothing() -> None:
    account = explore.explored(explore.pieces(20_000, 1), workers=2).account
    assert account.schedules == 20_000
    held(account)


@pytest.mark.parametrize("schedule", ["start:3809816096:11=4,14=9", "start:0:12=6,14=9"])
def test_a_submission_that_was_slow_to_begin_and_comes_late_is_the_only_one(schedule: str) -> None:
    """Looking for the run took 20 s, or noting that it would be posted; then the POST itself came 110 s late."""
    assert run(*read_replay(schedule)).violations == ()


def test_a_fact_that_is_held_back_for_long_is_found_when_its_message_is_lost() -> None:
    assert run(*read_replay("approve:0:28=2,243=2")).violations == ()


def test_a_fact_that_is_settled_and_then_done_by_another_worker_is_not_begun_anew() -> None:
    """Both took it up again after its first worker had failed to finish it; the slower one logged its events once more."""
    assert run(*read_replay("admit:2291999127:27=3,29=1,36=4")).violations == ()


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_no_process() -> None:
    command = [sys.executable, "-m", "commands", "simulate", "--schedules", "1000000"]
    run = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    while "a second" not in run.stderr.readline():
        assert run.poll() is None
    run.kill()
    run.communicate(timeout=60)  # ends once no worker holds the other end of the pipe


def _again_and_again(world: World) -> None:
    world.later(3600, Happens(_again_and_again))


def test_a_run_that_waits_for_ever_is_told() -> None:
    """What only looks at the clock passes no choice point."""
    world = Day(((0, _again_and_again),)).world()
    world.run()
    assert "7 days" in world.never_ends


def test_a_day_ends_whose_files_never_come_to_anything() -> None:
    world = Day(((0, _outcomes), (0, _withdraws))).world()
    world.run()
    assert not world.never_ends


def test_a_schedule_is_the_same_whoever_runs_it() -> None:
    """What is by chance depends on the seed and its number alone; what fails is run again from its text."""
    names = list(SCENARIOS)
    first = [explore.by_chance(7, number, names) for number in range(40)]
    assert first == [explore.by_chance(7, number, names) for number in range(40)]
    assert len({one.replay for one in first}) > 30
    one = max(first, key=lambda result: len(result.taken))
    scenario, seed, deviations = read_replay(one.replay)
    again = run(scenario, seed, deviations)
    assert (again.taken, again.fingerprint) == (one.taken, one.fingerprint)
