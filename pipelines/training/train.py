"""Training, step 2, train: LightGBM, early stopping on held-back rows, then refitted on all training rows."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from pipelines.training import prepared
from pipelines.training.drift import PROFILE, profile
from pipelines.training.holdout import Mask
from serving.features import Feature, Floats, encode
from serving.members import TREES, Member
from serving.model import SINGLE, save

MOST_TREES = 1000
PATIENCE = 50
FALLBACK_TREES = 100
"""When there are too few rows to hold any back."""
FEWEST_TO_VALIDATE = 20
THREADS_PAY_FROM = 10_000
"""Rows; below, two threads mostly wait for each other."""

PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "metric": "binary_logloss",
    "learning_rate": 0.03,
    "num_leaves": 20,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.5,
    "cat_smooth": 30,
    "cat_l2": 30,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "seed": 20080501,
    # The same rows give the same trees on the same kind of machine: a step that is run again changes nothing.
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}


def train(
    features: tuple[Feature, ...], matrix: Floats, answers: Floats, validation: Mask
) -> tuple[Any, int]:
    """The booster on all rows, and its number of trees."""
    trees = _trees(features, matrix, answers, validation)
    return lightgbm.train(
        _parameters(matrix), _dataset(features, matrix, answers), num_boost_round=trees
    ), trees


def _parameters(matrix: Floats) -> dict[str, Any]:
    return {**PARAMETERS, "num_threads": 2 if len(matrix) >= THREADS_PAY_FROM else 1}


def _trees(features: tuple[Feature, ...], matrix: Floats, answers: Floats, validation: Mask) -> int:
    """How many trees serve the held-back rows best."""
    if validation.sum() < FEWEST_TO_VALIDATE or (~validation).sum() < FEWEST_TO_VALIDATE:
        return FALLBACK_TREES
    learned = _dataset(features, matrix[~validation], answers[~validation])
    held_back = learned.create_valid(matrix[validation], answers[validation])
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    found = lightgbm.train(_parameters(matrix), learned, MOST_TREES, valid_sets=[held_back], callbacks=[stop])
    return max(1, int(found.best_iteration))


def _dataset(features: tuple[Feature, ...], matrix: Floats, answers: Floats) -> Any:
    categories = [place for place, feature in enumerate(features) if feature.type == "category"]
    return lightgbm.Dataset(
        matrix, answers, categorical_feature=categories, feature_name=_names(features), free_raw_data=False
    )


def _names(features: tuple[Feature, ...]) -> list[str]:
    """By place: LightGBM refuses some characters that a contract's names may have."""
    return [f"f{place}" for place in range(len(features))]


def main(arguments: list[str]) -> int:
    given = _given(arguments)
    features = prepared.features_of(prepared.read_contract(given.prepared))
    rows = prepared.read_rows(given.prepared, prepared.TRAIN, [feature.name for feature in features])
    rate = float(rows.answers.mean())
    if not 0 < rate < 1:
        raise SystemExit(
            "all training rows have the same answer; a classifier needs both answers, gather more"
        )
    validation = np.load(given.prepared / prepared.VALIDATION, allow_pickle=False)
    matrix = encode(features, rows.columns)
    booster, trees = train(features, matrix, rows.answers, validation)
    member = Member(
        name="trees",
        kind=TREES,
        columns=tuple(feature.name for feature in features),
        weight=1.0,
        text=booster.model_to_string(),
    )
    facts = _facts(given, rate, len(rows.answers), trees)
    save(given.model, features=features, variants={SINGLE: [member]}, facts=facts)
    (given.model / PROFILE).write_text(json.dumps(profile(features, matrix), indent=1), encoding="utf-8")
    learned = np.unique(prepared.read_digests(given.prepared, prepared.TRAIN, features))
    np.save(given.model / prepared.LEARNED, learned, allow_pickle=False)
    print(f"{trees} trees on {len(rows.answers)} rows, {rate:.4f} of them positive")
    return 0


def _facts(given: argparse.Namespace, rate: float, rows: int, trees: int) -> dict[str, Any]:
    return {
        "name": given.model_name,
        "version": given.model_version,
        "best_iteration": trees,
        "positive": prepared.read_contract(given.prepared)["target"]["positive"],
        "threshold": given.call_cost / given.deposit_value,
        "call_cost": given.call_cost,
        "deposit_value": given.deposit_value,
        "base_rate": rate,
        "trained_rows": rows,
    }


def _given(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--model-version", required=True)
    parser.add_argument("--call-cost", type=float, required=True)
    parser.add_argument("--deposit-value", type=float, required=True)
    parser.add_argument("--model", type=Path, required=True, help="folder to write the model into")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
