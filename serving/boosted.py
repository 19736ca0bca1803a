"""Trees as one of a model's learners: LightGBM's booster, and compiled trees in its place where they are trusted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from serving.features import Floats
from serving.log_odds import Predict, log_odds
from serving.trees import read_output

_TRAINING_ONLY = "\nparameters:"
"""How the model was trained stands from here on; nothing after it changes what the trees say, and the number of
threads is among it, which is another one on another machine."""


def meaning(text: str) -> str:
    """Of LightGBM's text of a model the part that says what its trees answer: the same rows give the same."""
    return text.partition(_TRAINING_ONLY)[0].rstrip("\n") + "\n"


@dataclass(frozen=True, kw_only=True)
class Boosted:
    """Safe to use from several threads at once."""

    booster: Any
    """lightgbm.Booster."""
    text: str
    """Its meaning."""
    compiled: Predict | None = None
    """Says what the booster says, sooner."""

    @classmethod
    def from_text(cls, text: str, columns: int) -> Boosted:
        """columns: how many the matrix has. raises: ValueError for what are no such trees"""
        import lightgbm  # half a second, of which those who load no model are spared

        try:
            booster = lightgbm.Booster(model_str=text)
        except lightgbm.basic.LightGBMError as cause:
            raise ValueError(f"LightGBM does not read its trees ({cause})") from cause
        if booster.num_feature() != columns:
            raise ValueError(f"its trees know {booster.num_feature()} features and are to read {columns}")
        return cls(booster=booster, text=text)

    def predict(self, matrix: Floats) -> Floats:
        """Of the positive answer, a row each.

        Each call has its own matrix and its own result: LightGBM's faster single-row handle is scratch space that
        two threads would overwrite for each other. One thread a call, since callers are what there are many of.
        """
        if not len(matrix):
            return np.empty(0)
        if self.compiled:
            return self.compiled(matrix)
        return np.asarray(self.booster.predict(matrix, num_threads=1), dtype=np.float64)

    def log_odds(self, matrix: Floats) -> Floats:
        return log_odds(self.predict(matrix))

    def contributions(self, matrix: Floats) -> tuple[Floats, float]:
        """How far each column moves each row's log-odds away from what is expected, and that: TreeSHAP.

        LightGBM explains the sum of the trees, also where they are averaged.
        """
        if not len(matrix):
            return np.empty(matrix.shape), 0.0
        said = np.asarray(self.booster.predict(matrix, pred_contrib=True, num_threads=1), dtype=np.float64)
        said *= self._scale
        return said[:, :-1], float(said[0, -1])

    @cached_property
    def _scale(self) -> float:
        sigmoid, averaged = read_output(self.text)
        return sigmoid / self.booster.num_trees() if averaged else sigmoid
