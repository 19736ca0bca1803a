"""The recipe gate: is a challenging recipe better than the live one, over drops that neither had learned from?

Prequential: each drop of rows is scored by every recipe's refit on what came before it, and only then learned from.
The question is asked again at each drop, so the test is valid at every moment (an e-process), not only once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

LEAST_ROWS = 30
"""Of a drop, never seen before in it: with fewer, its mean loss is no evidence."""
LEAST_DROPS = 3
"""A recipe is not changed for what one or two drops say, however large they are."""
ALIKE = 0.002
"""Intra-class correlation of the differences in a drop: its rows are of one month and one economy, so that a drop of n
rows says as little as n / (1 + (n - 1) * ALIKE) independent ones would. source: L. Kish, Survey Sampling, 1965"""
MOST_OF_ONE = 3.0
"""Standard errors that a drop counts at most: in the month in which everything changes, the recipe that happens to be off
by less is not for that alone the better one."""
MIXTURE = 0.5
"""Scale of the normal mixture, in drops: the test is at its best for what shows in few."""


@dataclass(frozen=True, kw_only=True)
class Drop:
    """The rows that came in with one dataset version, as each recipe scored them before it learned from them."""

    version: int
    rows: int
    """Scored: those whose features no earlier row had."""
    recipes: tuple[str, ...]
    """Digests."""
    losses: tuple[float, ...]
    """Mean log loss of each."""
    covariance: tuple[tuple[float, ...], ...]
    """Of the rows' log losses between the recipes: it gives the spread of any two's difference."""
    auc: float | None = None
    """Of the live recipe's refit; None without both answers."""

    def difference(self, one: str, other: str) -> tuple[float, float] | None:
        """Mean difference of log loss, negative where `one` is better, and its variance; None without both."""
        if one not in self.recipes or other not in self.recipes or self.rows < LEAST_ROWS:
            return None
        i, j = self.recipes.index(one), self.recipes.index(other)
        spread = self.covariance[i][i] + self.covariance[j][j] - 2 * self.covariance[i][j]
        return self.losses[i] - self.losses[j], max(spread, 0.0) * (1 / self.rows + ALIKE)

    def to_json(self) -> dict[str, Any]:
        names = ("version", "rows", "recipes", "losses", "covariance", "auc")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        return cls(
            version=body["version"],
            rows=body["rows"],
            recipes=tuple(body["recipes"]),
            losses=tuple(body["losses"]),
            covariance=tuple(tuple(row) for row in body["covariance"]),
            auc=body.get("auc"),
        )


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a challenger stands against the live recipe."""

    recipe: str
    drops: int
    rows: int
    mean: float
    """Of the drops' differences of log loss, each as sure as it is; negative where the challenger is better."""
    e_value: float
    """Evidence that it is better: a fair bet against it would have multiplied the stake so often."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which recipe is live from now on, and how its challengers stand."""

    live: str
    since: int
    """The version at which it became live: drops after it count."""
    standings: tuple[Standing, ...]
    asked: float
    """The e-value that a challenger must reach."""
    replaced: str = ""
    """The recipe that was live before, where it was changed just now."""

    def to_json(self) -> dict[str, Any]:
        return {
            "live": self.live,
            "since": self.since,
            "asked": self.asked,
            "replaced": self.replaced,
            "standings": [vars(one) for one in self.standings],
        }


def choose(
    drops: Iterable[Drop], *, live: str, since: int, challengers: Sequence[str], false_change: float
) -> Choice:
    """The live recipe, or the challenger that is better beyond doubt.

    drops: in the order of their versions
    since: the version at which the live recipe became live; only drops after it count, so each change begins anew
    false_change: how probable it may be that a live recipe is ever replaced by one that is no better
    """
    counted = [drop for drop in drops if drop.version > since]
    standings = tuple(_standing(one, live, counted) for one in challengers if one != live)
    # Each challenger is a chance to be wrong (Bonferroni), also one that is none any more: searches bring ever new ones.
    tried = {one.recipe for one in standings}.union(*(drop.recipes for drop in counted)) - {live}
    asked = max(len(tried), 1) / false_change
    surest = max(standings, key=lambda one: one.e_value, default=None)
    if surest is None or surest.e_value < asked or surest.drops < LEAST_DROPS:
        return Choice(live=live, since=since, standings=standings, asked=asked)
    newest = max(drop.version for drop in counted)
    return Choice(live=surest.recipe, since=newest, standings=standings, asked=asked, replaced=live)


def _standing(challenger: str, live: str, drops: Iterable[Drop]) -> Standing:
    found = [(drop.rows, *pair) for drop in drops if (pair := drop.difference(challenger, live))]
    told = [(rows, mean, variance) for rows, mean, variance in found if variance > 0]
    errors = [-mean / math.sqrt(variance) for _, mean, variance in told]
    gain = sum(max(-MOST_OF_ONE, min(each, MOST_OF_ONE)) for each in errors)
    weight = sum(1 / variance for _, _, variance in told)
    return Standing(
        recipe=challenger,
        drops=len(told),
        rows=sum(rows for rows, _, _ in told),
        mean=sum(mean / variance for _, mean, variance in told) / weight if told else 0.0,
        e_value=e_value(gain, len(told)),
    )


def e_value(gain: float, drops: int) -> float:
    """Evidence for a positive mean in a sum of standardised differences, at whatever time it is looked at.

    The one-sided normal mixture: a nonnegative martingale where the mean is 0 and a supermartingale where it is
    negative, so that it ever reaches 1 / alpha with a probability of at most alpha (Ville). That a drop's spread is
    estimated from its own rows makes it so for drops of many rows, not exactly.

    source: S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, Time-uniform, nonparametric, nonasymptotic confidence
    sequences, Annals of Statistics 49, 2021, proposition 6; for forecasts, Y. J. Choe, A. Ramdas, Comparing
    sequential forecasters, Operations Research 72, 2024
    """
    if not drops:
        return 1.0
    known = drops + MIXTURE
    exponent = gain * gain / (2 * known)
    share = 0.5 * math.erfc(-gain / math.sqrt(2 * known))
    return 2 * math.sqrt(MIXTURE / known) * share * math.exp(min(exponent, 700.0))
