"""Shrinking: the few choices without which a run that failed does not fail.

source: A. Zeller, R. Hildebrandt, *Simplifying and Isolating Failure-Inducing Input*, IEEE TSE 28(2) (2002)
"""

from __future__ import annotations

from collections.abc import Callable

from simulation.runs import Result, run, scenario_of

Tried = Callable[[int, dict[int, int]], Result]
SEED_OF_THE_PLAIN = 0
"""Two instances, and every clock right."""


def shrunk(failed: Result, *, tried: Tried | None = None) -> Result:
    """The failed run again with as few deviations as still make the same oracle speak; and where that does, with two
    instances whose clocks are right."""
    scenario = scenario_of(failed.scenario)

    def as_before(seed: int, deviations: dict[int, int]) -> Result:
        return run(scenario, seed, deviations, thorough=failed.thorough, polled=failed.polled)

    again = tried or as_before
    wanted = {_oracle(one) for one in failed.violations}

    def fails(seed: int, deviations: dict[int, int]) -> Result | None:
        result = again(seed, deviations)
        return result if wanted & {_oracle(one) for one in result.violations} else None

    best = failed
    best = fails(SEED_OF_THE_PLAIN, _deviations(best)) or best
    size = max(1, len(best.taken) // 2)
    while True:
        smaller = _without_some(best, size, fails)
        if smaller is not None:
            best = smaller
        elif size == 1:
            return best
        else:
            size //= 2


def _without_some(
    best: Result, size: int, fails: Callable[[int, dict[int, int]], Result | None]
) -> Result | None:
    items = list(_deviations(best).items())
    for start in range(0, len(items), size):
        left = dict(items[:start] + items[start + size :])
        smaller = fails(best.seed, left)
        if smaller is not None and len(smaller.taken) < len(best.taken):
            return smaller
    return None


def _deviations(result: Result) -> dict[int, int]:
    return {one.at: one.option for one in result.taken}


def _oracle(violation: str) -> str:
    return violation.partition(":")[0]


def in_words(result: Result) -> str:
    """How the schedule differs from the plain order."""
    if not result.taken:
        return "first in, first out everywhere"
    return f"first in, first out everywhere except {'; '.join(map(str, result.taken))}"
