"""Trials of a search, and their ranking: what each was worth, what it cost, and why it ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shared.domain.models.recipe import Recipe
from shared.domain.models.recipe_gate import ALIKE

SURE = 1.96
"""Standard errors, for an interval of 95 %."""

Kind = Literal["known", "member", "vote", "calibration"]
Ended = Literal["scored on every drop", "not among the better half", "out of time"]
DONE: Ended = "scored on every drop"


@dataclass(frozen=True, kw_only=True)
class DropScore:
    """What a trial was worth on one drop, and against the live recipe there."""

    version: int
    rows: int
    loss: float
    """Mean log loss."""
    variance: float
    """Of the rows'."""
    difference: float
    """Mean difference to the live recipe's; negative where this one is better."""
    difference_variance: float


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One candidate, as far as it came."""

    recipe: Recipe
    kind: Kind
    scores: tuple[DropScore, ...]
    """The newest drop first."""
    seconds: float
    ended: Ended

    @property
    def complete(self) -> bool:
        return self.ended == DONE

    @property
    def difference(self) -> float:
        """To the live recipe, on the drops that both are scored on."""
        return _mean([score.difference for score in self.scores])

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "name": self.recipe.name,
            "kind": self.kind,
            "ended": self.ended,
            "seconds": round(self.seconds, 3),
            "drops": len(self.scores),
            "rows": sum(score.rows for score in self.scores),
        }
        if self.scores:
            body |= _interval("log_loss", [(s.loss, s.variance, s.rows) for s in self.scores])
            told = [(s.difference, s.difference_variance, s.rows) for s in self.scores]
            body |= _interval("difference", told)
        return {**body, "recipe": self.recipe.to_json()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _interval(name: str, told: Sequence[tuple[float, float, int]]) -> dict[str, float]:
    """A mean over drops, each counting the same, with its 95 % interval; rows of a drop are alike, as in the recipe gate.

    told: of each drop mean, variance of the rows, and their number
    """
    mean = _mean([value for value, _, _ in told])
    error = math.sqrt(sum(variance * (1 / rows + ALIKE) for _, variance, rows in told)) / len(told)
    return {name: mean, f"{name}_low": mean - SURE * error, f"{name}_high": mean + SURE * error}


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """Those scored on the most drops first, of them the best first."""
    return sorted(
        trials, key=lambda one: (-len(one.scores), one.difference if one.scores else 0.0, one.recipe.digest)
    )
