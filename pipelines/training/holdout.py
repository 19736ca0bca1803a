"""The hold-out split: a pure function of a row's features, so that a row stays on its side for ever.

A row that comes again (in another file, part or version, in another order) is held out there too, and so is one that
repeats its features with another answer. The answer itself is never asked.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from shared.domain.datasets.row_digest import mixed, seed

HOLDOUT = ("campanha holdout 2", 0.1)
"""Salt and share. Changing a salt or a share moves rows between training and hold-out: the serving model is judged on
those alone that it has not learned from, which are few then."""

Mask = npt.NDArray[np.bool_]
Digests = npt.NDArray[np.uint64]


def membership(digests: Digests, rule: tuple[str, float]) -> Mask:
    """For each row whether the rule picks it. digests: of the rows' features"""
    salt, share = rule
    picked: Mask = (mixed(digests ^ seed(salt)) >> np.uint64(11)) < np.uint64(int(share * 2**53))
    return picked


def rows_id(digests: Digests) -> str:
    """Names rows, of a dataset version or of its hold-out: equal ids are equal rows, in whatever order.

    digests: of the rows, answers included
    """
    return hashlib.sha256(np.sort(digests).astype("<u8").tobytes()).hexdigest()
