"""Who is held out: for ever the same rows, a fifth of them, and another draw for each purpose."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipelines.training.holdout import HOLDOUT, membership, rows_id

DIGESTS = np.random.default_rng(1).integers(0, 2**64, 100_000, dtype=np.uint64)
ANY = arrays.arrays(np.uint64, st.integers(0, 60), elements=st.integers(0, 2**64 - 1))

KNOWN = [12]


def test_known_digests_are_held_out_as_ever() -> None:
    """Written down once: a change here would leave few rows on which the serving model can be judged."""
    assert np.flatnonzero(membership(np.arange(40, dtype=np.uint64), HOLDOUT)).tolist() == KNOWN


def test_one_row_at_a_time_says_the_same() -> None:
    """The published algorithm in plain integers."""
    salt, share = HOLDOUT
    seed = int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8], "big")

    def picked(digest: int) -> bool:
        z = digest ^ seed
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return ((z ^ (z >> 31)) >> 11) / 2**53 < share

    assert membership(DIGESTS[:500], HOLDOUT).tolist() == [picked(int(digest)) for digest in DIGESTS[:500]]


def test_a_tenth_is_held_out() -> None:
    assert abs(membership(DIGESTS, HOLDOUT).mean() - 0.1) < 0.005
    assert abs(membership(np.arange(100_000, dtype=np.uint64), HOLDOUT).mean() - 0.1) < 0.005


@given(digests=ANY, data=st.data())
def test_a_row_is_picked_by_its_digest_alone(digests: np.ndarray, data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(len(digests)))), dtype=np.int64)
    whole = membership(digests, HOLDOUT)
    assert (whole.dtype, len(whole)) == (np.bool_, len(digests))
    assert membership(digests[order], HOLDOUT).tolist() == whole[order].tolist()


@pytest.mark.parametrize(("share", "picked"), [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5)])
def test_the_share_is_the_rules(share: float, picked: float) -> None:
    assert membership(DIGESTS, ("salt", share)).mean() == pytest.approx(picked, abs=0.01)


@given(digests=ANY, data=st.data())
def test_the_id_is_of_the_rows_in_any_order(digests: np.ndarray, data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(len(digests)))), dtype=np.int64)
    assert rows_id(digests[order]) == rows_id(digests)


@given(digests=ANY.filter(len), at=st.integers(0, 59))
def test_another_row_is_another_holdout(digests: np.ndarray, at: int) -> None:
    other = digests.copy()
    other[at % len(digests)] ^= np.uint64(1)
    assert rows_id(other) != rows_id(digests)
    assert rows_id(digests[:-1]) != rows_id(digests)
    assert rows_id(np.append(digests, digests[-1])) != rows_id(digests)
