"""Probabilities as log-odds and back: the scale on which members of a model are averaged and explained."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from serving.features import Floats

SUREST = 0.01
"""No member of several is surer than this: one that meets what it has never seen, and is very sure all the same, would
outvote all others. Measured on 26 real months: in a new season it saves up to 1.5 nats a row, and costs nothing later."""
_MOST = math.log((1 - SUREST) / SUREST)

Predict = Callable[[Floats], Floats]
"""A matrix of encoded rows to the probability of the positive answer, a row each."""


def log_odds(probability: Floats) -> Floats:
    """No surer than SUREST."""
    sure = np.minimum(np.maximum(probability, SUREST), 1 - SUREST)
    found: Floats = np.log(sure / (1 - sure))
    return found


def clipped(found: Floats) -> Floats:
    """Log-odds, no surer than SUREST."""
    kept: Floats = np.minimum(np.maximum(found, -_MOST), _MOST)
    return kept


def probability_of(found: Floats) -> Floats:
    """The inverse: 1 / (1 + exp(-x)), exp kept within what a double holds."""
    chance: Floats = 1 / (1 + np.exp(np.minimum(-found, 700.0)))
    return chance
