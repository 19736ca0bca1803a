"""Who is held out: for ever the same rows, a fifth of them, and another draw for each purpose."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(name=st.text(max_size=70), rows=st.integers(0, 300), fewer=st.integers(0, 300))
def test_a_row_is_picked_by_its_part_and_place_alone(name: str, rows: int, fewer: int) -> None:
    whole = membership(name, rows, HOLDOUT)
    assert (whole.dtype, len(whole)) == (np.bool_, rows)
    assert whole[:fewer].tolist() == membership(name, min(rows, fewer), HOLDOUT).tolist()


@pytest.mark.parametrize(("share", "picked"), [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5)])
def test_the_share_is_the_rules(share: float, picked: float) -> None:
    assert membership(HASH, 50_000, ("salt", share)).mean() == pytest.approx(picked, abs=0.01)


def test_parts_do_not_hold_out_the_same_places() -> None:
    """Or a part in another order of the rows would not be another draw."""
    one, other = (membership(f"{seed:064x}", 20_000, HOLDOUT) for seed in (1, 2))
    assert (one & other).mean() == pytest.approx(0.04, abs=0.01)


def test_neighbours_are_drawn_apart() -> None:
    held = membership(HASH, 100_000, HOLDOUT)
    for apart in (1, 2, 7, 64):
        assert (held[apart:] & held[:-apart]).mean() == pytest.approx(0.04, abs=0.005)


@given(
    masks=st.lists(st.lists(st.booleans(), max_size=20), min_size=1, max_size=4),
    at=st.integers(0, 79),
)
def test_one_row_moved_is_another_holdout(masks: list[list[bool]], at: int) -> None:
    parts = [(f"{number}", np.array(mask, dtype=np.bool_)) for number, mask in enumerate(masks)]
    name, mask = parts[at % len(parts)]
    if not len(mask):
        return
    moved = mask.copy()
    moved[at % len(mask)] ^= True
    other = [(name, moved) if each[0] == name else each for each in parts]
    assert holdout_id(parts) != holdout_id(other)
    assert holdout_id(parts) == holdout_id(iter(parts))


def test_rows_that_are_not_held_out_count_too() -> None:
    """Bits are packed by eight: one row more, not held out, packs to the same bytes."""
    short, long = np.array([True]), np.array([True, False])
    assert np.packbits(short).tobytes() == np.packbits(long).tobytes()
    assert holdout_id([("a", short)]) != holdout_id([("a", long)])
