"""A small trained model, as the endpoint loads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from trees_model import CUTS, save_trees

from serving.features import Feature, encode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small model: older students deposit, nobody else."""
    features = (
        Feature(name="age", type="integer", minimum=17, maximum=120),
        Feature(name="job", type="category", values=("admin.", "student")),
        Feature(name="rate", type="number"),
    )
    chance = np.random.default_rng(1)
    columns: dict[str, Any] = {
        "age": chance.integers(18, 90, 400).tolist(),
        "job": chance.choice(["admin.", "student"], 400).tolist(),
        "rate": chance.normal(size=400).tolist(),
    }
    answers = [float(a > 50 and j == "student") for a, j in zip(columns["age"], columns["job"], strict=True)]
    data = lightgbm.Dataset(encode(features, columns), np.array(answers), categorical_feature=[1])
    parameters = {"objective": "binary", "verbosity": -1, "num_threads": 1, "deterministic": True}
    booster = lightgbm.train(parameters, data, num_boost_round=20)
    words = {"positive": "yes", "negative": "no"}
    facts = {"name": "bank", "version": "3", "threshold": 0.125, "deciles": CUTS, **words}
    save_trees(tmp_path / "m", booster, features, facts)
    return tmp_path / "m"
