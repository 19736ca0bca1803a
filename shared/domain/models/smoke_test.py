"""Does a new deployment give the answers its model gave when it was made?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

TOLERANCE = 1e-6
"""Probabilities agree to this (fraction of 1): JSON carries doubles exactly, another build of the trees may not."""


def faults(
    golden: Mapping[str, Any], probability: Sequence[float], answered: str, expected_version: int
) -> str:
    """What is wrong with the answers to the golden rows, in a sentence; empty when nothing is.

    golden: `rows` and the `probability` of each, as written when the model was evaluated
    """
    if answered != str(expected_version):
        return f"model {answered} answered in the place of model {expected_version}"
    known: Sequence[float] = golden["probability"]
    if len(probability) != len(known):
        return f"{len(known)} golden rows were asked, {len(probability)} answers came"
    wrong = [i for i, (a, b) in enumerate(zip(probability, known, strict=True)) if not _agree(a, b)]
    if wrong:
        first = wrong[0]
        return (
            f"{len(wrong)} of {len(known)} golden rows came out wrong; row {first}:"
            f" {probability[first]!r} instead of {known[first]!r}"
        )
    return ""


def _agree(got: float, known: float) -> bool:
    return math.isfinite(got) and abs(got - known) <= TOLERANCE
