"""The bench of drift: its figures follow from what was simulated, and its moved column has moved."""

from __future__ import annotations

import argparse

import numpy as np
import pytest

from bench import drift


def test_the_moved_column_has_the_index_that_is_said() -> None:
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    moved = drift._moved(shares, np.random.default_rng(1))
    assert moved.sum() == pytest.approx(1)
    assert float(((moved - shares) * np.log(moved / shares)).sum()) == pytest.approx(drift.MOVED, abs=0.001)


def test_a_limit_that_knows_its_rows_is_quiet_where_a_fixed_one_is_not() -> None:
    found = drift._columns(100, 100, np.random.default_rng(2))
    assert found["alarms"] <= 0.06
    assert found["fixed"] >= 0.9


def test_a_model_that_is_right_is_not_said_to_lose_and_one_that_is_far_off_is() -> None:
    chance = np.random.default_rng(3)
    assert drift._losses(0.0, 40, chance)["said"] == 0
    assert drift._losses(1.5, 40, chance)["said"] == 1


def test_the_table_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    drift.show(drift.run(argparse.Namespace(lists=20, seed=1)))
    assert "10,000" in capsys.readouterr().out
