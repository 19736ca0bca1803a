"""A model's folder: found where Azure ML puts it, text only, and refused when it is not what it says."""

from __future__ import annotations

import dataclasses
import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from serving.features import encode
from serving.model import SINGLE, Model, ModelBroken, describe, golden_rows, load

SERVING = Path(__file__).parents[3] / "serving"


def test_the_folder_is_found_one_level_down(folder: Path) -> None:
    assert load(folder.parent).version == load(folder).version == "3"


def test_there_is_text_only_and_no_pickle(folder: Path) -> None:
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(files) == {"single-trees.txt", "model.json"}
    assert all(data.decode().isprintable() or b"\n" in data for data in files.values())
    assert "import pickle" not in "".join(path.read_text() for path in SERVING.glob("*.py"))


def test_trees_other_than_the_described_are_refused(folder: Path) -> None:
    with (folder / "single-trees.txt").open("ab") as file:
        file.write(b" ")
    with pytest.raises(ModelBroken, match="fetch it again"):
        load(folder)


def test_another_format_is_refused(folder: Path) -> None:
    body = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**body, "format": 1}))
    with pytest.raises(ModelBroken, match="format 1, known is 2; train it again"):
        load(folder)


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match=r"model\.json"):
        load(tmp_path)


@pytest.mark.parametrize("cuts", [None, [0.1, 0.2], [0.5] * 8 + [0.4]])
def test_a_model_that_was_never_evaluated_does_not_score(folder: Path, cuts: list[float] | None) -> None:
    body = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(
        json.dumps({**body, "deciles": {"single": cuts}} if cuts else _without(body))
    )
    with pytest.raises(ModelBroken, match="evaluate"):
        load(folder).scores(np.empty((0, 3)))


def _without(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "deciles"}


class Said:
    """In a variant's place: the first column is the probability."""

    def predict(self, matrix: Any) -> Any:
        return matrix[:, 0]


def saying(folder: Path) -> Model:
    said: Any = {SINGLE: Said()}
    return dataclasses.replace(load(folder), variants=said)


def test_a_probability_on_a_cut_is_in_the_tenth_above(folder: Path) -> None:
    told = np.array([[0.0], [0.0999], [0.1], [0.85], [0.9], [1.0]])
    model = saying(folder)
    assert model.scores(told).decile.tolist() == [1, 1, 2, 9, 10, 10]
    assert model.scores(told).call.tolist() == [False, False, False, True, True, True]


# --- what is written is what is read ------------------------------------------------------------------------------


def test_a_description_says_what_was_given_and_who_the_trees_are(folder: Path) -> None:
    said = json.loads((folder / "model.json").read_text())
    text = (folder / "single-trees.txt").read_bytes()
    (member,) = said["variants"]["single"]["members"]
    assert (said["format"], member["file"], member["sha256"]) == (
        2,
        "single-trees.txt",
        sha256(text).hexdigest(),
    )
    assert (said["name"], said["version"], said["threshold"]) == ("bank", "3", 0.125)
    assert [feature["name"] for feature in said["features"]] == ["age", "job", "rate"]


def test_a_model_answers_as_the_booster_it_was_saved_from(folder: Path) -> None:
    model = load(folder)
    asked = {"age": [70, 20, 60], "job": ["student", None, "admin."], "rate": [0.1, 0.2, None]}
    direct = lightgbm.Booster(model_file=str(folder / "single-trees.txt")).predict(
        encode(model.features, asked)
    )
    assert model.probabilities(asked).tolist() == direct.tolist()


def test_what_is_added_later_leaves_the_rest(folder: Path) -> None:
    before = json.loads((folder / "model.json").read_text())
    describe(folder, compiled={"single": True}, threshold=0.5)
    after = json.loads((folder / "model.json").read_text())
    assert after == {**before, "compiled": {"single": True}, "threshold": 0.5}
    assert load(folder).threshold == 0.5


@pytest.mark.parametrize("depth", ["", "a", "a/b"])
def test_a_folder_is_found_up_to_two_levels_down(folder: Path, tmp_path: Path, depth: str) -> None:
    home = tmp_path / "azureml-models" / depth
    shutil.copytree(folder, home)
    assert load(tmp_path / "azureml-models").name == "bank"


def test_a_folder_deeper_down_is_none(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "deep" / "a" / "b" / "c")
    with pytest.raises(ModelBroken, match="holds no"):
        load(tmp_path / "deep")


def test_which_of_two_models_is_meant_is_not_guessed(folder: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        shutil.copytree(folder, tmp_path / "both" / name)
    with pytest.raises(ModelBroken, match="holds 2 models; one was expected"):
        load(tmp_path / "both")
    shutil.copytree(folder, tmp_path / "both", dirs_exist_ok=True)
    assert (
        load(tmp_path / "both").name == "bank"
    )  # the folder itself is a model: what lies in it is its own affair


def test_golden_rows_are_columns(folder: Path) -> None:
    assert golden_rows(folder) == {}
    (folder / "golden.json").write_text('{"columns": ["age", "job"], "rows": [[1, "a"], [2, null]]}')
    assert golden_rows(folder) == {"single": {"age": (1, 2), "job": ("a", None)}}
    assert golden_rows(folder.parent) == golden_rows(folder)  # where Azure ML puts the folder


@pytest.mark.parametrize("rows", ["[[1]]", "[[1, 2, 3]]", "[[1, 2], [3]]"])
def test_golden_rows_of_another_width_are_none(folder: Path, rows: str) -> None:
    (folder / "golden.json").write_text(f'{{"columns": ["age", "job"], "rows": {rows}}}')
    with pytest.raises(ValueError, match="zip"):
        golden_rows(folder)


def test_an_empty_matrix_gets_an_empty_answer(folder: Path) -> None:
    model = load(folder)
    scores = model.scores(encode(model.features, {"age": [], "job": [], "rate": []}))
    assert [len(column) for column in (scores.probability, scores.decile, scores.call)] == [0, 0, 0]
    assert (scores.decile.dtype, scores.call.dtype) == (np.int8, np.bool_)


def test_a_call_is_worth_it_from_the_threshold_on(folder: Path) -> None:
    model = saying(folder)
    told = np.array([[0.1249999], [0.125], [0.1250001]])
    assert model.scores(told).call.tolist() == [False, True, True]
