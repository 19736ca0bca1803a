"""The hold-out split: a pure function of a row's part and place, so that a row stays where it once was.

A row that a later dataset version repeats is held out there too; a champion is thus never judged on a row that it
learned from. splitmix64: Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

HOLDOUT = ("campanha holdout 1", 0.2)
VALIDATION = ("campanha validation 1", 0.15)
"""Salt and share. Changing a salt or a share moves rows between training and hold-out: never do."""

Mask = npt.NDArray[np.bool_]


def membership(content_hash: str, rows: int, rule: tuple[str, float]) -> Mask:
    """For each of a part's rows, in order, whether the rule picks it."""
    salt, share = rule
    seed = int.from_bytes(hashlib.sha256(f"{salt}:{content_hash}".encode()).digest()[:8], "big")
    places = np.arange(1, rows + 1, dtype=np.uint64)
    numbers = _mixed(np.uint64(seed) + places * np.uint64(0x9E3779B97F4A7C15))
    picked: Mask = (numbers >> np.uint64(11)) < np.uint64(int(share * 2**53))
    return picked


def holdout_id(parts: Iterable[tuple[str, Mask]]) -> str:
    """Names a hold-out: equal ids are equal rows. parts: content hash and membership, in the manifest's order"""
    digest = hashlib.sha256()
    for content_hash, mask in parts:
        digest.update(f"{content_hash}:{len(mask)}:".encode() + np.packbits(mask).tobytes())
    return digest.hexdigest()


def _mixed(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser; uint64 arrays wrap around silently, as it wants."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
