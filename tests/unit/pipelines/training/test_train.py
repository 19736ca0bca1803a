"""Training: how many trees, what is written about them, and when there is nothing to learn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from trees_model import booster_of

from pipelines.training import prepared, train
from pipelines.training.drift import PROFILE, profile
from serving.features import Feature, encode
from serving.model import load

NAMED = ["--model-name", "bank", "--model-version", "4", "--call-cost", "12", "--deposit-value", "96"]
FEATURES = (
    Feature(name='{"age": [0]}', type="integer"),
    Feature(name="job, or none", type="category", values=("admin.", "retired", "student")),
)
"""Names that a contract may have and LightGBM refuses."""


def drawn(rows: int, seed: int = 1) -> dict[str, list[Any]]:
    chance = np.random.default_rng(seed)
    age, job = chance.integers(18, 90, rows), chance.choice(FEATURES[1].values, rows)
    often = np.where((job == "student") & (age > 50), 0.7, 0.05)
    return {
        FEATURES[0].name: age.tolist(),
        FEATURES[1].name: job.tolist(),
        "y": np.where(chance.random(rows) < often, "yes", "no").tolist(),
    }


def folder(path: Path, rows: dict[str, list[Any]], *, validation: float = 0.2) -> Path:
    """As `prepare` leaves it."""
    path.mkdir()
    contract = {
        "columns": [feature.to_json() for feature in FEATURES],
        "target": {"name": "y", "positive": "yes"},
    }
    (path / prepared.CONTRACT).write_text(json.dumps(contract))
    pq.write_table(pa.table(rows), path / prepared.TRAIN)
    np.save(path / prepared.VALIDATION, np.random.default_rng(2).random(len(rows["y"])) < validation)
    return path


def trained(path: Path, rows: dict[str, list[Any]], **more: Any) -> Path:
    home = folder(path / "prepared", rows, **more)
    assert train.main(["--prepared", str(home), "--model", str(path / "model"), *NAMED]) == 0
    return path / "model"


def test_the_description_says_what_the_model_is_and_what_a_call_must_bring(tmp_path: Path) -> None:
    rows = drawn(3000)
    described = load(trained(tmp_path, rows)).description
    expected = {
        "name": "bank",
        "version": "4",
        "positive": "yes",
        "threshold": 0.125,
        "call_cost": 12.0,
        "deposit_value": 96.0,
        "trained_rows": 3000,
        "base_rate": pytest.approx(rows["y"].count("yes") / 3000),
    }
    assert {name: described[name] for name in expected} == expected
    assert described["features"] == [feature.to_json() for feature in FEATURES]


def test_it_stops_where_held_back_rows_gain_nothing_and_then_learns_from_all(tmp_path: Path) -> None:
    model = load(trained(tmp_path, drawn(3000)))
    trees = model.description["best_iteration"]
    assert 1 <= trees < train.MOST_TREES
    assert booster_of(model).num_trees() == trees
    assert model.description["trained_rows"] == 3000


def test_what_it_learned_is_in_the_data(tmp_path: Path) -> None:
    model = load(trained(tmp_path, drawn(3000)))
    asked = {FEATURES[0].name: [80, 80, 20], FEATURES[1].name: ["student", "admin.", "student"]}
    likely, *others = model.probabilities(asked)
    assert likely > 0.5
    assert max(others) < 0.15


def test_the_profile_is_of_the_rows_it_learned_from(tmp_path: Path) -> None:
    rows = drawn(800)
    home = trained(tmp_path, rows)
    known = json.loads((home / PROFILE).read_text())
    assert known == profile(FEATURES, encode(FEATURES, rows))
    assert known["rows"] == 800


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_rows_that_all_answer_alike_end_the_run(tmp_path: Path, answer: str) -> None:
    rows = {**drawn(200), "y": [answer] * 200}
    home = folder(tmp_path / "prepared", rows)
    with pytest.raises(SystemExit, match="all training rows have the same answer"):
        train.main(["--prepared", str(home), "--model", str(tmp_path / "model"), *NAMED])
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("validation", "rows", "stops"),
    [
        (0, 100, False),
        (train.FEWEST_TO_VALIDATE - 1, 100, False),
        (train.FEWEST_TO_VALIDATE, 100, True),
        (100 - train.FEWEST_TO_VALIDATE, 100, True),
        (100 - train.FEWEST_TO_VALIDATE + 1, 100, False),
        (100, 100, False),
    ],
)
def test_held_back_rows_say_when_to_stop_if_there_are_enough_of_both(
    validation: int, rows: int, stops: bool
) -> None:
    """The answers are noise: who stops early has fewer trees than who does not look."""
    chance = np.random.default_rng(3)
    matrix, answers = chance.normal(size=(rows, 1)), (chance.random(rows) < 0.5).astype(np.float64)
    flags = np.arange(rows) < validation
    _, trees = train.train((Feature(name="a", type="number"),), matrix, answers, flags)
    assert (trees == train.FALLBACK_TREES) is not stops


def test_threads_are_worth_it_for_many_rows_only() -> None:
    few, many = (np.empty((rows, 1)) for rows in (train.THREADS_PAY_FROM - 1, train.THREADS_PAY_FROM))
    assert train._parameters(few)["num_threads"] == 1
    assert train._parameters(many)["num_threads"] == 2


def test_a_category_is_split_as_one_and_not_by_its_number() -> None:
    """The middle one of three: one question about categories, two about numbers."""
    codes = np.tile([0.0, 1.0, 2.0], 200).reshape(-1, 1)
    feature = Feature(name="job", type="category", values=("a", "b", "c"))
    booster, _ = train.train(
        (feature,), codes, (codes[:, 0] == 1).astype(np.float64), np.zeros(600, np.bool_)
    )
    said = booster.predict(np.array([[0.0], [1.0], [2.0]]))
    assert said[1] > 0.9
    assert max(said[0], said[2]) < 0.1
    assert "num_cat=1" in booster.model_to_string()
