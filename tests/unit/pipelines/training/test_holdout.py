"""Who is held out: for ever the same rows, a fifth of them, and another draw for each purpose."""

from __future__ import annotations

import hashlib

import numpy as np

from pipelines.training.holdout import HOLDOUT, VALIDATION, holdout_id, membership

HASH = "ab" * 32
KNOWN = [3, 10, 15, 16, 19, 20, 26, 31]


def test_the_first_rows_of_a_known_part_are_held_out_as_ever() -> None:
    """Written down once: a change here would let a champion be judged on rows it learned from."""
    assert np.flatnonzero(membership(HASH, 40, HOLDOUT)).tolist() == KNOWN


def test_one_row_at_a_time_says_the_same() -> None:
    """The published algorithm in plain integers."""
    salt, share = HOLDOUT
    seed = int.from_bytes(hashlib.sha256(f"{salt}:{HASH}".encode()).digest()[:8], "big")

    def picked(row: int) -> bool:
        z = (seed + (row + 1) * 0x9E3779B97F4A7C15) % 2**64
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return ((z ^ (z >> 31)) >> 11) / 2**53 < share

    assert membership(HASH, 500, HOLDOUT).tolist() == [picked(row) for row in range(500)]


def test_a_fifth_is_held_out_whatever_the_part() -> None:
    for seed in range(5):
        assert abs(membership(f"{seed:064x}", 100_000, HOLDOUT).mean() - 0.2) < 0.005


def test_a_longer_reading_of_a_part_moves_no_row() -> None:
    assert (membership(HASH, 1000, HOLDOUT)[:100] == membership(HASH, 100, HOLDOUT)).all()


def test_validation_is_another_draw() -> None:
    held, validation = membership(HASH, 100_000, HOLDOUT), membership(HASH, 100_000, VALIDATION)
    assert abs(validation[~held].mean() - 0.15) < 0.005


def test_the_id_tells_holdouts_apart() -> None:
    one, other = np.array([True, False]), np.array([False, True])
    ids = {holdout_id([("a", one)]), holdout_id([("a", other)]), holdout_id([("b", one)])}
    assert len(ids) == 3
    assert holdout_id([("a", one)]) in ids
