"""A model's folder: found where Azure ML puts it, text only, and refused when it is not what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SERVING = Path(__file__).parents[3] / "serving"


def test_the_folder_is_found_one_level_down(folder: Path) -> None:
    from model import load

    assert load(folder.parent).version == load(folder).version == "3"


def test_there_is_text_only_and_no_pickle(folder: Path) -> None:
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(files) == {"model.txt", "model.json"}
    assert all(data.decode().isprintable() or b"\n" in data for data in files.values())
    assert "import pickle" not in "".join(path.read_text() for path in SERVING.glob("*.py"))


def test_trees_other_than_the_described_are_refused(folder: Path) -> None:
    from model import ModelBroken, load

    with (folder / "model.txt").open("ab") as file:
        file.write(b" ")
    with pytest.raises(ModelBroken, match="fetch it again"):
        load(folder)


def test_another_format_is_refused(folder: Path) -> None:
    from model import ModelBroken, load

    body = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**body, "format": 2}))
    with pytest.raises(ModelBroken, match="format 2"):
        load(folder)


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    from model import ModelBroken, load

    with pytest.raises(ModelBroken, match=r"model\.json"):
        load(tmp_path)
