"""The bench of the recipe gate: its rules change when they should, and its figures follow from what was simulated."""

from __future__ import annotations

import argparse
import random

import pytest

from bench import gate


def test_a_gate_that_is_asked_of_a_clear_winner_changes_at_the_third_drop() -> None:
    assert gate._gate([-0.02] * 5) == 3
    assert gate._gate([0.02] * 5) is None


def test_the_rule_that_most_would_write_changes_at_once() -> None:
    assert gate._repeated_test([-0.02] * 5) == 1
    assert gate._repeated_test([0.02] * 5) is None


def test_of_equal_recipes_the_gate_changes_far_less_often_than_a_repeated_test() -> None:
    found = gate.simulate(0.0, 200, random.Random(1))
    assert found["gate"]["ever"] <= 0.05
    assert found["repeated test"]["ever"] > 0.3


def test_a_run_says_which_goals_are_met(capsys: pytest.CaptureFixture[str]) -> None:
    results = gate.run(argparse.Namespace(seasons=50, seed=1))
    assert next(goal["met"] for goal in results["goals"])
    assert results["cases"]["2 % better"]["gate"]["ever"] == 1.0
    gate.show(results)
    assert "an equal recipe is ever taken" in capsys.readouterr().out
