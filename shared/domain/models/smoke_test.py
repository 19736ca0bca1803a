"""Does a new deployment give the answers its model gave when it was made?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from shared.errors import Refused

TOLERANCE = 1e-6
"""Probabilities agree to this (fraction of 1): JSON carries doubles exactly, another build of the trees may not."""


@dataclass(frozen=True, kw_only=True)
class GoldenRows:
    """Rows that a model's evaluation has scored, by which a deployment of it shows that it answers as it should."""

    rows: Any
    """Arrow record batch of the model's features."""
    probability: Sequence[float]
    """Of each row, as the model said it when it was made."""

    @classmethod
    def of(cls, model: str, documents: Mapping[str, Any]) -> Self:
        """model: its name and version; documents: the JSON of its folder, by file name

        raises: Refused for a model that has none to be tested with: it was not made by our pipeline, or by an older one
        """
        from shared.domain.models.answers import feature_table

        golden = documents.get("golden")
        if golden is None:
            raise Refused(f"model {model} has no golden rows (golden.json) to be tested with; {REMEDY}")
        try:
            rows = feature_table(golden["columns"], golden["rows"])
            probability = [float(known) for known in golden["probability"]]
        except (KeyError, TypeError, ValueError) as cause:  # Arrow's errors are among these
            raise Refused(
                f"the golden rows (golden.json) of model {model} cannot be read; {REMEDY}"
            ) from cause
        if not rows.num_rows or rows.num_rows != len(probability):
            raise Refused(
                f"model {model} has {rows.num_rows} golden rows (golden.json) and {len(probability)} answers to them;"
                f" {REMEDY}"
            )
        return cls(rows=rows, probability=probability)

    def faults(self, probability: Sequence[float], answered: str, expected_version: int) -> str:
        """What is wrong with the answers to them, in a sentence; empty when nothing is."""
        if answered != str(expected_version):
            return f"model {answered} answered in the place of model {expected_version}"
        known = self.probability
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


REMEDY = "release a model that the published training pipeline has made, or have the dataset trained again"


def _agree(got: float, known: float) -> bool:
    return math.isfinite(got) and abs(got - known) <= TOLERANCE
