"""A model's folder: found where Azure ML puts it, text only, and refused when it is not what it says."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.model import ModelBroken, load

SERVING = Path(__file__).parents[3] / "serving"


def test_the_folder_is_found_one_level_down(folder: Path) -> None:
    assert load(folder.parent).version == load(folder).version == "3"


def test_there_is_text_only_and_no_pickle(folder: Path) -> None:
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(files) == {"model.txt", "model.json"}
    assert all(data.decode().isprintable() or b"\n" in data for data in files.values())
    assert "import pickle" not in "".join(path.read_text() for path in SERVING.glob("*.py"))


def test_trees_other_than_the_described_are_refused(folder: Path) -> None:
    with (folder / "model.txt").open("ab") as file:
        file.write(b" ")
    with pytest.raises(ModelBroken, match="fetch it again"):
        load(folder)


def test_another_format_is_refused(folder: Path) -> None:
    body = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**body, "format": 2}))
    with pytest.raises(ModelBroken, match="format 2"):
        load(folder)


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match=r"model\.json"):
        load(tmp_path)


@pytest.mark.parametrize("cuts", [None, [0.1, 0.2], [0.5] * 8 + [0.4]])
def test_a_model_that_was_never_evaluated_does_not_score(folder: Path, cuts: list[float] | None) -> None:
    body = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**body, "deciles": cuts} if cuts else _without(body)))
    with pytest.raises(ModelBroken, match="evaluate"):
        load(folder).scores(np.empty((0, 3)))


def _without(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "deciles"}


def test_a_probability_on_a_cut_is_in_the_tenth_above(folder: Path) -> None:
    class Said:
        """In the booster's place: probabilities as they are given."""

        def predict(self, matrix: Any, **_: Any) -> Any:
            return matrix[:, 0]

    told = np.array([[0.0], [0.0999], [0.1], [0.85], [0.9], [1.0]])
    model = dataclasses.replace(load(folder), booster=Said())
    assert model.scores(told).decile.tolist() == [1, 1, 2, 9, 10, 10]
    assert model.scores(told).call.tolist() == [False, False, False, True, True, True]
