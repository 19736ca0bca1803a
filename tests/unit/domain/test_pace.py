"""The pace: what the endpoint takes, less when it refuses, more again when it is calm; no place is ever lost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.concurrency_limit import Pace


@dataclass
class Clock:
    time: float = 0.0

    def __call__(self) -> float:
        self.time += 0.001  # so that nobody waits for ever
        return self.time


def test_half_as_many_after_a_refusal_and_one_more_after_each_calm_round() -> None:
    pace = Pace(8, clock=Clock())
    pace.was_refused(0, pause=0)
    assert pace.allowed == 4
    for _ in range(4):
        pace.went_well()
    assert pace.allowed == 5
    for _ in range(100):
        pace.went_well()
    assert pace.allowed == 8


def test_refusals_of_one_round_slow_down_once() -> None:
    clock = Clock()
    pace = Pace(8, clock=clock)
    began = clock()
    for _ in range(5):
        pace.was_refused(began, pause=0)
    assert pace.allowed == 4
    pace.was_refused(clock(), pause=0)
    assert pace.allowed == 2


def test_nothing_is_sent_in_a_pause() -> None:
    clock = Clock()
    pace = Pace(2, clock=clock)
    pace.was_refused(clock(), pause=10)
    with pytest.raises(TimeoutError), pace.turn(deadline=clock() - 1):
        pass
    clock.time += 10
    with pace.turn(deadline=clock() + 1):
        pass


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 9))
def test_there_is_always_a_place_and_never_more_than_agreed(well: list[bool], most: int) -> None:
    clock = Clock()
    pace = Pace(most, clock=clock)
    for each in well:
        with pace.turn(deadline=clock() + 1) as began:
            if each:
                pace.went_well()
            else:
                pace.was_refused(began, pause=0)
        assert 1 <= pace.allowed <= most
