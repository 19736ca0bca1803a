"""Scores, and what came of them, counted by their log-odds: of one small size for any number of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
REACH = 8.0
"""Log-odds either way; what lies further out counts as lying there: 1 in 3,000."""
WIDTH = 0.125
"""Of a place, in log-odds."""
PLACES = round(2 * REACH / WIDTH)


class ScorePlaces:
    """Of the rows with a score of each place, how many they are and how many are marked: were positive, or are called."""

    def __init__(self) -> None:
        self.rows: Counts = np.zeros(PLACES, dtype=np.int64)
        self.marked: Counts = np.zeros(PLACES, dtype=np.int64)

    def add(self, probability: Floats, marked: npt.NDArray[np.bool_]) -> None:
        """probability: of each row, no NaN"""
        if not len(probability):
            return
        odds = log_odds(np.clip(probability, 1e-9, 1 - 1e-9))
        places = np.clip(np.floor((odds + REACH) / WIDTH), 0, PLACES - 1).astype(np.int64)
        self.rows += np.bincount(places, minlength=PLACES)
        self.marked += np.bincount(places[marked], minlength=PLACES)

    def plus(self, other: ScorePlaces) -> ScorePlaces:
        both = ScorePlaces()
        both.rows, both.marked = self.rows + other.rows, self.marked + other.marked
        return both

    @property
    def odds(self) -> Floats:
        """The log-odds in the middle of each place."""
        return CENTRES

    def to_json(self) -> dict[str, list[int]]:
        """By place that has rows: how many, and how many of them are marked."""
        return {
            str(place): [int(self.rows[place]), int(self.marked[place])]
            for place in np.flatnonzero(self.rows).tolist()
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        made = cls()
        for place, (rows, marked) in body.items():
            made.rows[int(place)], made.marked[int(place)] = rows, marked
        return made


CENTRES: Floats = WIDTH * (np.arange(PLACES, dtype=np.float64) + 0.5) - REACH


def log_odds(probability: Floats) -> Floats:
    found: Floats = np.log(probability) - np.log1p(-probability)
    return found


def probability_of(odds: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-odds))
    return found
