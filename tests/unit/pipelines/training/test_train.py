"""Training: the live recipe's refit, what is written about it, and when there is nothing to learn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.ending import CannotGoOn
from pipelines.training import prepared, train
from pipelines.training.drift import PROFILE
from serving.model import load
from shared.domain.models.recipe import Recipe
from shared.domain.run_end import sentence_in
from tests.unit.pipelines.runs import BANK, RECIPES, columns, evaluation, part, part_of, trained


def test_the_description_says_what_the_model_is_and_what_a_call_must_bring(tmp_path: Path) -> None:
    candidate = trained(tmp_path, [part(tmp_path / "parts", 900, 1)], version=4)
    described = load(candidate).description
    rows = prepared.read_rows(candidate.parent / "prepared", prepared.TRAIN, [])
    expected = {
        "name": BANK.dataset,
        "version": "4",
        "positive": "yes",
        "negative": "no",
        "threshold": 0.125,
        "call_cost": 10.0,
        "deposit_value": 80.0,
        "trained_rows": len(rows.answers),
        "base_rate": pytest.approx(rows.answers.mean()),
        "recipe": RECIPES[0],
    }
    assert {name: described[name] for name in expected} == json.loads(json.dumps(expected, default=str)) | {
        "base_rate": expected["base_rate"]
    }


def test_a_client_alone_is_answered_without_the_lists_columns_and_a_list_with_them(tmp_path: Path) -> None:
    model = load(trained(tmp_path, [part(tmp_path / "parts", 900, 1)]))
    assert sorted(model.variants) == ["list", "single"]
    assert model.list_columns == [column.name for column in BANK.list_columns]


def test_a_recipe_that_reads_no_list_has_one_variant(tmp_path: Path) -> None:
    plain = {**RECIPES[0], "list_columns": False, "digest": ""}
    model = load(trained(tmp_path, [part(tmp_path / "parts", 900, 1)], recipes=[plain]))
    assert sorted(model.variants) == ["single"]
    assert Recipe.from_json(model.description["recipe"]) == Recipe.from_json(plain)


def test_the_profile_is_of_the_rows_it_learned_from_and_the_columns_it_reads(tmp_path: Path) -> None:
    candidate = trained(tmp_path, [part(tmp_path / "parts", 800, 1)])
    known, model = json.loads((candidate / PROFILE).read_text()), load(candidate)
    assert [column["name"] for column in known["columns"]] == [column.name for column in model.inputs]
    assert known["rows"] == model.description["trained_rows"]


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_rows_that_all_answer_alike_end_the_run(tmp_path: Path, answer: str) -> None:
    alike = {**columns(300, 1), BANK.target: [answer] * 300}
    with pytest.raises(CannotGoOn, match=r"all 300 rows are (positive|negative)") as ended:
        trained(tmp_path, [part_of(tmp_path / "parts", alike)])
    assert not (tmp_path / "1" / "model").exists()
    assert sentence_in(str(ended.value)).endswith(
        f"; if they are right, say so: ./dev datasets {BANK.dataset}:1 --trust --reason WHY; if they are not, take their"
        " upload out: ./dev uploads NAME --withdraw --reason WHY"
    )


@pytest.mark.parametrize("trusted", [False, True])
def test_a_drop_that_a_person_trusts_is_learned_from(tmp_path: Path, trusted: bool) -> None:
    """As the manifest says it: without that the same rows are in doubt."""
    alike = part_of(tmp_path / "parts", {**columns(300, 1), BANK.target: ["yes"] * 300})
    parts = [alike, part(tmp_path / "parts", 900, 2, version=2)]
    said = {"version": 1, "by": "key:engineer", "reason": "only those who had agreed were called"}
    candidate = trained(tmp_path, parts, trusted=[said] if trusted else [])
    doubted = {doubt["version"] for doubt in evaluation(candidate)["doubts"]}
    assert (1 in doubted) is not trusted
    learned = prepared.read_numbers(candidate.parent / "prepared", prepared.TRAIN, prepared.VERSION)
    rows = int(sum(version not in doubted for version in learned))
    assert load(candidate).description["trained_rows"] == rows


def test_without_a_trial_there_is_no_recipe_to_train_by(tmp_path: Path) -> None:
    candidate = trained(tmp_path, [part(tmp_path / "parts", 300, 1)])
    home = candidate.parent
    (home / "trial" / "evidence.json").unlink()
    given = ["--prepared", str(home / "prepared"), "--trial", str(home / "trial"), "--model", str(home / "m")]
    named = ["--model-name", "b", "--model-version", "1", "--call-cost", "10", "--deposit-value", "80"]
    with pytest.raises(SystemExit, match="run the trial step first"):
        train.main([*given, *named])
