"""The faults that are planted at random: each can be planted, and its function's code is another then."""

from __future__ import annotations

import random

from shared.domain.datasets import gather_window
from tests.mutants import sample


def test_each_fault_of_a_sample_is_of_a_function_and_compiles() -> None:
    mutants = list(sample.all_mutants(("shared/ledger", "shared/domain/datasets")))
    assert len(mutants) > 500
    for mutant in random.Random(1).sample(mutants, 40):
        assert mutant.code().co_name == mutant.name


def test_a_planted_fault_is_there_until_the_code_is_given_back() -> None:
    function = gather_window.remaining
    before = function.__code__
    [mutant, *_] = [
        one
        for one in sample.all_mutants(("shared/domain/datasets/gather_window.py",))
        if one.name == "remaining"
    ]
    try:
        assert sample.plant(mutant) == 1
        assert function.__code__ is not before
        assert function.__code__.co_code != before.co_code or function.__code__.co_consts != before.co_consts
    finally:
        function.__code__ = before


def test_the_interval_holds_near_its_ends() -> None:
    low, high = sample.interval(50, 50)
    assert 0.9 < low < high <= 1.0001
    low, high = sample.interval(80, 100)
    assert low < 0.8 < high
