"""The steps one after the other, on clients that never were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow.parquet as pq
import pytest
from trees_model import save_trees

from pipelines.training import evaluate, prepare, prepared
from serving import compiled
from serving.answer import answer
from serving.features import Feature
from serving.model import load
from shared.domain.datasets.row_digest import LEARNED
from shared.domain.models import promotion
from tests.unit.pipelines.runs import BANK, columns, evaluation, manifest, part, part_of, trained

MEMBERS = ("boosted.txt", "extra.txt", "ridge.json")


def test_a_first_model_is_better_than_the_base_rate(tmp_path: Path) -> None:
    candidate = trained(tmp_path, [part(tmp_path / "parts", 1500, 1)])
    found = evaluation(candidate)
    assert found["champion"] is found["comparison"] is None
    assert found["drift"] == []
    assert found["challenger"]["log_loss"] < found["baseline"]["log_loss"]
    assert found["challenger"]["auc"] > 0.7
    assert {path.name for path in candidate.iterdir()} == {
        *(f"{variant}-{name}" for variant in ("single", "list") for name in MEMBERS),
        "evidence.json",
        "model.json",
        "evaluation.json",
        "golden.json",
        "learned.npy",
        "profile.json",
        "trial.json",
    }


def test_what_is_known_only_after_the_call_is_no_feature(tmp_path: Path) -> None:
    candidate = trained(tmp_path, [part(tmp_path / "parts", 400, 1)])
    names = [feature["name"] for feature in json.loads((candidate / "model.json").read_text())["features"]]
    assert names == [column.name for column in BANK.features]
    assert "duration" not in names


def test_golden_rows_are_answered_by_the_serving_code_as_written(tmp_path: Path) -> None:
    candidate = trained(tmp_path, [part(tmp_path / "parts", 600, 1)])
    golden = json.loads((candidate / "golden.json").read_text())
    assert len(golden["rows"]) == 20
    body = {"input_data": {"columns": golden["columns"], "data": golden["rows"]}}
    said = answer(load(candidate), json.dumps(body).encode())
    assert (said.status, json.loads(said.body)["probability"]) == (200, golden["probability"])


def test_golden_rows_are_answered_though_rows_were_readmitted_that_break_the_contract(tmp_path: Path) -> None:
    drawn = columns(600, 1)
    drawn["age"] = [age + 200 if place % 2 else age for place, age in enumerate(drawn["age"])]
    candidate = trained(tmp_path, [part_of(tmp_path / "parts", drawn)])
    golden = json.loads((candidate / "golden.json").read_text())
    for variant in (golden, golden["list"]):
        body = {"input_data": {"columns": variant["columns"], "data": variant["rows"]}}
        said = json.loads(answer(load(candidate), json.dumps(body).encode()).body)
        assert (said["probability"], "problem" in said) == (variant["probability"], False)


def test_compiled_trees_are_compared_on_every_held_out_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = compiled.Compiled.predict
    asked = []

    def one_wrong(self: Any, matrix: Any) -> Any:
        asked.append(len(matrix))
        said = right(self, matrix)
        said[-1] += 1e-9
        return said

    parts = [part(tmp_path / "parts", 800, 1)]
    assert json.loads((trained(tmp_path, parts) / "model.json").read_text())["compiled"] == {
        "single": True,
        "list": True,
    }
    monkeypatch.setattr(compiled.Compiled, "predict", one_wrong)
    found = trained(tmp_path, parts, version=2)
    assert json.loads((found / "model.json").read_text())["compiled"] == {"single": False, "list": False}
    assert set(asked) == {evaluation(found)["rows"]}


def test_a_tenth_of_the_held_out_rows_falls_into_each_decile(tmp_path: Path) -> None:
    candidate = trained(tmp_path, [part(tmp_path / "parts", 3000, 1)])
    model = load(candidate)
    held = prepared.read_rows(candidate.parent / "prepared", prepared.HOLDOUT, model.columns)
    counts = np.bincount(model.scores(model.encode(held.columns)).decile, minlength=11)
    assert counts[0] == 0
    assert len(held.answers) / 10 == pytest.approx(counts[1:].mean())
    assert np.ptp(counts[1:]) <= 2


def test_golden_rows_reach_from_the_lowest_probability_to_the_highest() -> None:
    said = np.concatenate([np.linspace(0.01, 0.05, 500), [0.3, 0.6, 0.9]])
    places = evaluate._spread(said, 20)
    assert len(set(places)) == 20
    assert {0, 500, 501, 502} <= set(places)
    assert evaluate._spread(np.array([0.5, 0.5]), 20) == [0, 1]


def test_a_champion_of_which_nobody_knows_what_it_learned_from_is_not_compared(tmp_path: Path) -> None:
    parts = [part(tmp_path / "parts", 400, 1)]
    champion = trained(tmp_path, parts)
    (champion / LEARNED).unlink()
    found = evaluation(trained(tmp_path, parts, version=2, champion=champion))
    assert found["not_compared"] == "model 1 does not say which rows it learned from"
    assert (found["comparison"], found["champion"]) == (None, {"name": BANK.dataset, "version": "1"})
    verdict = promotion.judge(found, serving=1)
    assert verdict.outcome != "accepted"
    assert "promote it by hand" in verdict.reason
    assert "champion_metrics" not in verdict.figures


def test_a_champion_with_a_column_that_is_gone_is_not_compared(tmp_path: Path) -> None:
    ages = np.arange(18.0, 90.0)
    data = lightgbm.Dataset(np.column_stack([ages, ages]), ages > 80)
    booster = lightgbm.train({"objective": "binary", "verbosity": -1, "min_data_in_leaf": 2}, data, 5)
    features = [Feature(name="height", type="number"), Feature(name="age", type="integer")]
    save_trees(tmp_path / "old", booster, features, {"name": "old", "version": "9", "threshold": 0.1})
    np.save(tmp_path / "old" / LEARNED, np.zeros(1, np.uint64))
    found = evaluation(trained(tmp_path, [part(tmp_path / "parts", 400, 1)], champion=tmp_path / "old"))
    assert (found["champion"]["name"], found["champion"]["version"]) == ("old", "9")
    assert found["drift"] == []  # it was made before models had a profile
    assert found["comparison"] is None
    assert "they lack 'height'" in found["not_compared"]


def test_a_champion_is_judged_on_the_same_rows(tmp_path: Path) -> None:
    first = part(tmp_path / "parts", 120, 1)  # too few to learn much
    champion = trained(tmp_path, [first])
    more = part(tmp_path / "parts", 2500, 2)
    found = evaluation(trained(tmp_path, [first, more], version=2, champion=champion))
    assert (found["champion"]["version"], found["challenger"]["version"]) == ("1", "2")
    assert found["comparison"]["log_loss_difference"] == pytest.approx(
        found["challenger"]["log_loss"] - found["champion"]["log_loss"]
    )
    assert found["comparison"]["probability_better"] > 0.9
    drift = {one["column"]: one["psi"] for one in found["drift"]}
    assert drift.keys() == {column.name for column in BANK.features}
    assert 0 < max(drift.values()) < 0.5  # the first model saw 120 rows of the same kind


def test_the_rows_that_the_champion_learned_from_have_not_moved(tmp_path: Path) -> None:
    parts = [part(tmp_path / "parts", 300, 1)]
    champion = trained(tmp_path, parts)
    found = evaluation(trained(tmp_path, parts, version=2, champion=champion))
    assert {one["psi"] for one in found["drift"]} == {0.0}
    assert len(found["drift"]) == len(BANK.features)


def test_a_row_once_held_out_stays_held_out(tmp_path: Path) -> None:
    first, more = part(tmp_path / "parts", 300, 1), part(tmp_path / "parts", 200, 2)
    for version, parts in ((1, [first]), (2, [more, first])):
        read = json.loads(manifest(tmp_path / "m.json", parts, version).read_text())
        prepare.prepare(read, tmp_path / "parts", tmp_path / f"p{version}")
    then, now = (
        {
            tuple(row.items())
            for row in pq.read_table(
                tmp_path / f"p{version}" / "holdout.parquet", columns=[column.name for column in BANK.columns]
            ).to_pylist()
        }
        for version in (1, 2)
    )
    assert then < now


def test_the_same_rows_give_the_same_trees(tmp_path: Path) -> None:
    for again in ("a", "b"):
        (tmp_path / again).mkdir()
        trained(tmp_path / again, [part(tmp_path / again / "parts", 500, 1)])
    one, other = (tmp_path / again / "1" / "model" / "single-boosted.txt" for again in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()


def test_a_part_that_was_changed_ends_the_run(tmp_path: Path) -> None:
    changed = {**part(tmp_path / "parts", 100, 1), "sha256": "0" * 64}
    read = json.loads(manifest(tmp_path / "m.json", [changed]).read_text())
    with pytest.raises(SystemExit, match="sha256 differs"):
        prepare.prepare(read, tmp_path / "parts", tmp_path / "out")
