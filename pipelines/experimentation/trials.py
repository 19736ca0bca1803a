"""Trials of a search, and their ranking: what each was worth, what it cost, and why it ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from serving.features import Floats
from shared.domain.models.recipe import Recipe
from shared.domain.models.recipe_gate import ALIKE, MOST_OF_ONE

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

    @property
    def gain(self) -> float:
        """Standard errors by which it is better than the live recipe, cut off as the recipe gate cuts them."""
        error = math.sqrt(self.difference_variance * (1 / self.rows + ALIKE))
        return max(-MOST_OF_ONE, min(-self.difference / error, MOST_OF_ONE)) if error else 0.0


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
    def gain(self) -> float:
        """Mean of the drops': what the recipe gate would count of them, so that a month in which everything changes does
        not decide here either."""
        return _mean([score.gain for score in self.scores])

    def to_json(self) -> dict[str, Any]:
        line = board_line(self.recipe.name, self.kind, self.scores, self.seconds, self.ended)
        return {**line, "recipe": self.recipe.to_json()}


def drop_score(version: int, ours: Floats, theirs: Floats) -> DropScore:
    """ours, theirs: the rows' log losses"""
    paired = ours - theirs
    return DropScore(
        version=version,
        rows=len(ours),
        loss=float(ours.mean()),
        variance=float(ours.var()),
        difference=float(paired.mean()),
        difference_variance=float(paired.var()),
    )


def board_line(
    name: str, kind: str, scores: Sequence[DropScore], seconds: float, ended: str
) -> dict[str, Any]:
    """What the leaderboard says of a trial."""
    body: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "ended": ended,
        "seconds": round(seconds, 3),
        "drops": len(scores),
        "rows": sum(score.rows for score in scores),
    }
    if scores:
        body |= _interval("log_loss", [(s.loss, s.variance, s.rows) for s in scores])
        told = [(s.difference, s.difference_variance, s.rows) for s in scores]
        body |= _interval("difference", told)
        body["gain"] = _mean([score.gain for score in scores])
    return body


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
        trials, key=lambda one: (-len(one.scores), -one.gain if one.scores else 0.0, one.recipe.digest)
    )
