"""Rows of which it is known what is to be found in them."""

from __future__ import annotations

import numpy as np

from pipelines.training.learners import Matrix
from serving.features import Feature

FEATURES = (
    Feature(name="age, in years", type="integer"),  # LightGBM would refuse the comma
    Feature(name="job", type="category", values=("admin.", "retired", "student")),
    Feature(name="list_clients", type="number"),
)
NAMES = [feature.name for feature in FEATURES]


def drawn(rows: int = 4000, seed: int = 1, lists: int = 1) -> Matrix:
    """Students deposit often; age says nothing; small lists deposit more."""
    chance = np.random.default_rng(seed)
    age, job = chance.integers(18, 90, rows).astype(float), chance.integers(0, 3, rows).astype(float)
    at = np.sort(chance.integers(0, lists, rows))
    often = np.where(job == 2, 0.6, 0.1)
    return Matrix(
        inputs=FEATURES,
        values=np.asfortranarray(np.stack([age, job, np.log(np.bincount(at)[at])], axis=1)),
        answers=(chance.random(rows) < often).astype(float),
        lists=at,
        list_names=frozenset({"list_clients"}),
    )
