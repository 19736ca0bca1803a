"""What an experiment leaves: the leaderboard of its trials, and the recipe that it found, if it found one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

LEADERBOARD, RECIPE = "leaderboard.json", "recipe.yaml"
"""The files of an experiment's folder; the second is there only where something was found."""

Verdict = Literal["better", "worse", "undecided"]
MOST_SHOWN = 12
"""Trials that a run's record shows; the file has all."""
NUMBERS = ("seconds", "log_loss", "difference", "difference_low", "difference_high")


@dataclass(frozen=True, kw_only=True)
class Leaderboard:
    """As much of it as the flow asks for."""

    found: str | None
    """The name of the recipe."""
    reason: str
    """A sentence, with the figures."""
    seconds: float
    """That the search took."""
    trials: int
    verdict: Verdict | None
    """On a model that is no recipe."""
    best: tuple[dict[str, Any], ...]
    """Of the best trials, the best first: the fields of `kinds.run.RunTrial`."""

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """raises: ValueError where it is none"""
        body: Any = json.loads(text)
        try:
            found, trials = body["found"], body["trials"]
            return cls(
                found=found if found is None else _text(found),
                reason=_text(body["reason"]),
                seconds=_number(body["seconds"]),
                trials=len(trials),
                verdict=_verdict(body.get("verdict")),
                best=tuple(_trial(one) for one in trials[:MOST_SHOWN]),
            )
        except (AttributeError, KeyError, TypeError) as cause:
            raise ValueError(f"it is no leaderboard: {cause!r}") from cause


def _verdict(value: Any) -> Verdict | None:
    found: Verdict | None = next((one for one in get_args(Verdict) if one == value), None)
    if found is None and value is not None:
        raise TypeError(f"{value!r} is no verdict")
    return found


def _trial(said: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: _number(said[name]) for name in NUMBERS if name in said}
    return {
        "name": _text(said["name"]),
        "ended": _text(said["ended"]),
        "drops": int(said["drops"]),
        **numbers,
    }


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is no number")
    return float(value)
