"""Guards: what a refit of the live recipe must not be, whoever made it, before it may answer.

One table. Each guard reads the evaluation that the training pipeline wrote and says what it found; none knows of
another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.domain.models.doubt import remedy

LEAST_HELD_OUT = 100
"""Held-out rows that a verdict needs at least,"""
LEAST_POSITIVES = 10
"""and positives among them."""
MOST_WORSE = 0.03
"""Share of the champion's log loss by which a refit may surely be worse: a refit that has just met a new season says a
little less about the seasons before, and must not be kept out for it (a non-inferiority margin)."""
MOST_CALIBRATION_ERROR = 0.03
"""What the calibration error may be beyond that of chance; a share of all rows."""
MOST_SEGMENT_LOSS = 0.05
"""Log loss by which a segment may surely be worse than before; more is a collapse."""
MOST_BYTES = 100 << 20
MOST_MILLISECONDS = 1000.0
"""For a thousand rows."""
SURE = 1.96
"""Standard errors to either side of a 95 % interval."""

Evaluation = Mapping[str, Any]
Outcome = Literal["refused", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Why a model may not answer, or not yet."""

    guard: str
    outcome: Outcome
    reason: str
    rows_needed: int | None = None
    """About how many more rows would decide it."""


def find(evaluation: Evaluation) -> list[Finding]:
    """What the guards find; nothing where all are content."""
    found = ((name, each) for name, guard in GUARDS.items() for each in guard(evaluation))
    return [Finding(guard=name, outcome=o, reason=r, rows_needed=n) for name, (o, r, n) in found]


Found = Iterator[tuple[Outcome, str, int | None]]


def _enough_rows(evaluation: Evaluation) -> Found:
    rows, positives = evaluation["rows"], evaluation["positives"]
    if rows >= LEAST_HELD_OUT and positives >= LEAST_POSITIVES:
        return
    all_rows = rows + evaluation["model"]["trained_rows"]
    short = max(LEAST_HELD_OUT / max(rows, 1), LEAST_POSITIVES / max(positives, 0.5))
    yield (
        "undecided",
        f"only {rows} rows are held out, {positives} of them positive; {LEAST_HELD_OUT} and {LEAST_POSITIVES} are needed",
        math.ceil(all_rows * (short - 1)),
    )


def _better_than_base_rate(evaluation: Evaluation) -> Found:
    baseline, ours = evaluation["baseline"], evaluation["challenger"]["log_loss"]
    if baseline["high"] < 0:
        return
    gain = baseline["log_loss_difference"]
    than = (
        f"log loss {ours:.4f} against the base rate's {baseline['log_loss']:.4f}: {gain:+.4f}"
        f" [{baseline['low']:+.4f}, {baseline['high']:+.4f}]"
    )
    if baseline["low"] > 0:
        yield "refused", f"it is worse than the base rate: {than}", None
    else:
        yield (
            "undecided",
            f"it is not surely better than the base rate: {than}",
            _rows_needed(evaluation, baseline),
        )


def _rows_needed(evaluation: Evaluation, difference: Mapping[str, Any]) -> int | None:
    """How many more rows would make a difference of this size sure; None where it points the wrong way."""
    gain: float = -difference["log_loss_difference"]
    width: float = (difference["high"] - difference["low"]) / 2
    if gain <= 0 or width <= 0:
        return None
    all_rows: int = evaluation["rows"] + evaluation["model"]["trained_rows"]
    return math.ceil(all_rows * max((width / gain) ** 2 - 1, 0.01))


def _compared(evaluation: Evaluation) -> Found:
    if why := evaluation.get("not_compared"):
        yield (
            "undecided",
            f"it cannot be compared with the model that serves: {why}; promote it by hand if it is to",
            None,
        )


def _not_worse_than_champion(evaluation: Evaluation) -> Found:
    for where, comparison in (("the held-out rows", "comparison"), ("those of the newest version", "newest")):
        found = evaluation.get(comparison)
        if found and found["low"] > MOST_WORSE * evaluation["champion"]["log_loss"]:
            champion = evaluation["champion"]["version"]
            yield (
                "refused",
                f"it is surely worse than model {champion} on {where}, and not by a little: log loss"
                f" {found['log_loss_difference']:+.4f} [{found['low']:+.4f}, {found['high']:+.4f}]",
                None,
            )


def _calibrated(evaluation: Evaluation) -> Found:
    found = evaluation["calibration"]
    if found["error"] > found["error_by_chance"] + MOST_CALIBRATION_ERROR:
        yield (
            "refused",
            f"it is not calibrated: it says {found['mean_probability']:.3f} on average where {found['rate']:.3f} came;"
            f" calibration error {found['error']:.3f}, by chance at most {found['error_by_chance']:.3f}",
            None,
        )


def _no_segment_collapses(evaluation: Evaluation) -> Found:
    than = "model " + evaluation["champion"]["version"] if evaluation.get("comparison") else "the base rate"
    for segment in evaluation["segments"]:
        if segment["low"] > MOST_SEGMENT_LOSS:
            yield (
                "refused",
                f"it collapses where {segment['column']} is {segment['value']!r} ({segment['rows']} rows): log loss"
                f" {segment['log_loss_difference']:+.4f} against {than}",
                None,
            )


def _reads_nothing_forbidden(evaluation: Evaluation) -> Found:
    model = evaluation["model"]
    forbidden = [name for name in model["columns"] if name in set(evaluation["forbidden_columns"])]
    if forbidden:
        yield "refused", f"it reads {', '.join(forbidden)}, which nobody knows before the call", None


def _small_and_fast(evaluation: Evaluation) -> Found:
    size, took = evaluation["model"]["bytes"], evaluation["milliseconds_per_1000_rows"]
    if size > MOST_BYTES:
        yield "refused", f"it has {size >> 20} MB; at most {MOST_BYTES >> 20} are served", None
    if took > MOST_MILLISECONDS:
        yield (
            "refused",
            f"a thousand rows take it {took:.0f} ms; at most {MOST_MILLISECONDS:.0f} are served",
            None,
        )


def _plausible_rows(evaluation: Evaluation) -> Found:
    if why := _newest_in_doubt(evaluation):
        version = why[0]["version"]
        reason = f"the rows of version {version} are left out: {why[0]['reason']}"
        yield "undecided", f"{reason}; {remedy(evaluation['challenger']['name'], version)}", None


def _newest_in_doubt(evaluation: Evaluation) -> list[Mapping[str, Any]]:
    """The doubts on the rows that the model was to learn from as the first; its version is theirs."""
    newest = int(evaluation["challenger"]["version"])
    return [doubt for doubt in evaluation.get("doubts", ()) if doubt["version"] == newest]


def _learned_something_new(evaluation: Evaluation) -> Found:
    model = evaluation["model"]
    if model["champion_sha256"] == model["sha256"] and not _newest_in_doubt(evaluation):
        version = evaluation["champion"]["version"]
        yield "refused", f"it is model {version} again: nothing new was learned", None


GUARDS: Mapping[str, Callable[[Evaluation], Found]] = {
    "plausible rows": _plausible_rows,
    "enough rows": _enough_rows,
    "better than the base rate": _better_than_base_rate,
    "compared": _compared,
    "not worse than the champion": _not_worse_than_champion,
    "calibrated": _calibrated,
    "no segment collapses": _no_segment_collapses,
    "reads nothing forbidden": _reads_nothing_forbidden,
    "small and fast": _small_and_fast,
    "something new": _learned_something_new,
}
"""By what each sees to, in the order in which reasons are told."""

AGAINST_CHAMPION = frozenset(
    {"compared", "not worse than the champion", "no segment collapses", "something new"}
)
"""Those that hold a model against another: what they find says nothing once a third one serves."""
