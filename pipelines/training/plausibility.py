"""Whether a drop's rows can be what they say they are, asked before anybody learns from them.

A poisoned file cannot be seen from within: its hold-out is drawn from the same rows. Each drop is therefore compared
with what came before it. Limits are wide where seasons differ: over 26 real months the rate of positives moved by up to
2.6 log-odds against what had been expected, and what was learned from some ranked others no better than chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from pipelines.training.learners import Matrix
from pipelines.training.metrics import Floats, auc
from serving.features import Feature

LEAST_OF_BOTH = 10
"""Rows of either answer without which a ranking says nothing."""
LEAST_ROWS_OF_ONE_ANSWER = 60
LEAST_EXPECTED = 7.0
"""Of an answer that never came: were it only chance, that had a probability of exp(-7), below 0.1 %."""
MOST_SHIFT = 3.5
"""Log-odds between the rate that came and the one expected; seasons stay below."""
SURELY_INVERTED = 0.45
MOST_TELLING = 0.90
"""AUC of one column alone beyond which it says the answer,"""
MOST_MORE_TELLING = 0.10
"""and by how much it may be more than in all rows before."""
RECENT = 6
"""Drops, the newest, that say how well a refit usually ranks one that it has not seen, and how that varies;"""
LEAST_RECENT = 3
"""with fewer it is not known."""
SURE = 3.0
"""Standard errors: each limit is passed by the near end of an interval, 1 in 740 by chance alone."""
TENTHS = 10

DoubtKind = Literal["one answer", "label rate", "labels inverted", "labels unrelated", "column tells"]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What came, what was expected, and between which ends it would have been plausible; each 0 to 1."""

    measure: str
    came: float
    expected: float | None = None
    plausible_low: float | None = None
    plausible_high: float | None = None

    def to_json(self) -> dict[str, Any]:
        found = {name: value for name, value in vars(self).items() if value is not None}
        return {
            name: round(min(max(value, 0.0), 1.0), 6) if isinstance(value, float) else value
            for name, value in found.items()
        }

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        return cls(
            measure=body["measure"],
            came=body["came"],
            expected=body.get("expected"),
            plausible_low=body.get("plausible_low"),
            plausible_high=body.get("plausible_high"),
        )


Found = tuple[str, Figure]
"""A reason, and its figures."""
POSITIVES, RANKING = "share of positives", "AUC of what was learned"


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Why the rows that came in with a dataset version are not learned from."""

    version: int
    kind: DoubtKind
    reason: str
    """A sentence, with the figures."""
    figure: Figure | None = None
    """The same, for a picture; none in what was written before there was one."""

    def to_json(self) -> dict[str, Any]:
        said = {"version": self.version, "kind": self.kind, "reason": self.reason}
        return said | (self.figure.to_json() if self.figure else {})

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        figure = Figure.from_json(body) if "measure" in body else None
        return cls(version=body["version"], kind=body["kind"], reason=body["reason"], figure=figure)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What was known when a drop came in."""

    probabilities: Floats
    """Of the drop's rows, by the live recipe's refit on the rows before."""
    learned: Matrix
    """Those rows."""
    recent: Sequence[float]
    """AUC of such refits on the drops before, the newest last."""


def doubts(version: int, rows: Matrix, expected: Expected | None) -> list[Doubt]:
    """What is not plausible about a drop; nothing where all is.

    expected: None where nothing could be learned before; then only what no drop may be is looked for
    """
    return [
        Doubt(version=version, kind=kind, reason=reason, figure=figure)
        for kind, check in CHECKS.items()
        for reason, figure in check(rows, expected)
    ]


def _one_answer(rows: Matrix, expected: Expected | None) -> Iterator[Found]:
    count, positives = len(rows.answers), int(rows.answers.sum())
    if count < LEAST_ROWS_OF_ONE_ANSWER or 0 < positives < count:
        return
    came, lacking = ("positive", "negative") if positives else ("negative", "positive")
    figure = Figure(
        measure=POSITIVES, came=positives / count, plausible_low=1 / count, plausible_high=1 - 1 / count
    )
    if expected is None:
        yield f"all {count} rows are {came}", figure
        return
    likely = float(expected.probabilities.sum())
    awaited = count - likely if positives else likely
    if awaited >= LEAST_EXPECTED:
        reason = f"all {count} rows are {came}, where about {awaited:.0f} {lacking} ones were expected"
        yield reason, replace(figure, expected=likely / count)


def _label_rate(rows: Matrix, expected: Expected | None) -> Iterator[Found]:
    if expected is None:
        return
    count, positives = len(rows.answers), float(rows.answers.sum())
    awaited = float(expected.probabilities.sum())
    shift = _log_odds(positives, count) - _log_odds(awaited, count)
    # J. B. S. Haldane, F. J. Anscombe, 1956: half a row is added to each side, so that none is infinitely far away.
    error = math.sqrt(1 / (positives + 0.5) + 1 / (count - positives + 0.5))
    if abs(shift) - SURE * error > MOST_SHIFT:
        middle, wide = _log_odds(awaited, count), MOST_SHIFT + SURE * error
        figure = Figure(
            measure=POSITIVES,
            came=positives / count,
            expected=awaited / count,
            plausible_low=_probability(middle - wide),
            plausible_high=_probability(middle + wide),
        )
        yield (
            f"{positives:.0f} of {count} rows are positive, where about {awaited:.0f} were expected: {shift:+.1f}"
            f" log-odds, of which seasons explain {MOST_SHIFT}",
            figure,
        )


def _log_odds(positives: float, count: int) -> float:
    return math.log((positives + 0.5) / (count - positives + 0.5))


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def _inverted(rows: Matrix, expected: Expected | None) -> Iterator[Found]:
    ranked = _ranked(rows, expected)
    if ranked and ranked[0] + SURE * ranked[1] < SURELY_INVERTED:
        recent = expected.recent[-RECENT:] if expected else ()
        figure = Figure(
            measure=RANKING,
            came=ranked[0],
            expected=float(np.mean(recent)) if recent else None,
            plausible_low=SURELY_INVERTED - SURE * ranked[1],
        )
        yield (
            f"what was learned before ranks these {len(rows.answers)} rows the wrong way round: AUC {ranked[0]:.3f}, at"
            f" most {ranked[0] + SURE * ranked[1]:.3f}",
            figure,
        )


def _unrelated(rows: Matrix, expected: Expected | None) -> Iterator[Found]:
    ranked = _ranked(rows, expected)
    if expected is None or ranked is None or len(expected.recent) < LEAST_RECENT:
        return
    recent = expected.recent[-RECENT:]
    usual = float(np.mean(recent))
    spread = math.hypot(ranked[1], float(np.std(recent, ddof=1)) * math.sqrt(1 + 1 / len(recent)))
    if ranked[0] + SURE * spread < usual:
        yield (
            f"the answers of these {len(rows.answers)} rows have little to do with the rows: AUC {ranked[0]:.3f}, where"
            f" {usual:.3f} [{usual - SURE * spread:.3f}, {usual + SURE * spread:.3f}] is usual",
            Figure(measure=RANKING, came=ranked[0], expected=usual, plausible_low=usual - SURE * spread),
        )


def _ranked(rows: Matrix, expected: Expected | None) -> tuple[float, float] | None:
    """The refit's AUC on the drop, and its standard error."""
    if expected is None or not _both(rows.answers):
        return None
    found = auc(rows.answers, expected.probabilities)
    return None if found is None else (found, _error(found, rows.answers))


def _column_tells(rows: Matrix, expected: Expected | None) -> Iterator[Found]:
    if not _both(rows.answers):
        return
    earlier = expected.learned if expected and _both(expected.learned.answers) else None
    for at, feature in enumerate(rows.inputs):
        if feature.name in rows.list_names:
            continue
        found = _telling(feature, rows.values[:, at], rows.answers)
        least = found - SURE * _error(found, rows.answers)
        before = None if earlier is None else _telling(feature, earlier.values[:, at], earlier.answers)
        if least > MOST_TELLING or (before is not None and least > before + MOST_MORE_TELLING):
            than = "" if before is None else f", {before:.3f} in all rows before"
            most = MOST_TELLING if before is None else min(MOST_TELLING, before + MOST_MORE_TELLING)
            figure = Figure(
                measure=f"AUC of {feature.name} alone",
                came=found,
                expected=before,
                plausible_high=most + SURE * _error(found, rows.answers),
            )
            yield (
                f"{feature.name!r} alone says the answer: AUC {found:.3f}, at least {least:.3f}{than}",
                figure,
            )


def _both(answers: Floats) -> bool:
    return bool(LEAST_OF_BOTH <= answers.sum() <= len(answers) - LEAST_OF_BOTH)


def _telling(feature: Feature, values: Floats, answers: Floats) -> float:
    """How well one column alone ranks: by each of its groups' rates in the other half of the rows, or by its order."""
    groups = _groups(feature, values)
    half = np.random.default_rng(0).permutation(len(answers)) % 2 == 0
    said = np.empty(len(answers))
    for side in (half, ~half):
        counts = np.bincount(groups[~side], minlength=groups.max() + 1)
        positives = np.bincount(groups[~side], answers[~side], minlength=groups.max() + 1)
        said[side] = ((positives + answers.mean()) / (counts + 1))[groups[side]]
    by_rate = auc(answers, said) or 0.5
    if feature.type == "category":
        return by_rate
    by_order = auc(answers, np.nan_to_num(values, nan=-np.inf)) or 0.5
    return max(by_rate, by_order, 1 - by_order)


def _groups(feature: Feature, values: Floats) -> Any:
    """A number for each row: its category, or the tenth that its number is in; the last is of missing values."""
    missing = np.isnan(values)
    if feature.type == "category":
        return np.where(missing, len(feature.values), values).astype(np.int64)
    there = values[~missing]
    edges = np.unique(np.quantile(there, np.arange(1, TENTHS) / TENTHS)) if len(there) else there
    return np.where(missing, len(edges) + 1, np.searchsorted(edges, values, side="right")).astype(np.int64)


def _error(area: float, answers: Floats) -> float:
    """Standard error of an AUC.

    source: J. A. Hanley, B. J. McNeil, The meaning and use of the area under a ROC curve, Radiology 143, 1982
    """
    sure = min(max(area, 0.01), 0.99)  # one of exactly 1 is not without error
    positives, negatives = answers.sum(), len(answers) - answers.sum()
    first, second = sure / (2 - sure), 2 * sure * sure / (1 + sure)
    variance = (
        sure * (1 - sure) + (positives - 1) * (first - sure * sure) + (negatives - 1) * (second - sure * sure)
    )
    return math.sqrt(variance / (positives * negatives))


CHECKS: dict[DoubtKind, Callable[[Matrix, Expected | None], Iterator[Found]]] = {
    "one answer": _one_answer,
    "label rate": _label_rate,
    "labels inverted": _inverted,
    "labels unrelated": _unrelated,
    "column tells": _column_tells,
}
"""By the kind of doubt that each raises."""
