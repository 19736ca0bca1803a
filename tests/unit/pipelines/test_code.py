"""A pipeline's code folder: its modules and all they import, complete in itself, its version that of its content."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines import code
from pipelines.scoring import pipeline as scoring
from pipelines.training import pipeline as training

THEIRS = {*sys.stdlib_module_names, "azure", "lightgbm", "llvmlite", "numpy", "pyarrow", "yaml"}
"""What the training environment brings, as far as the steps use it."""


@pytest.mark.parametrize("pipeline", [training, scoring], ids=lambda module: module.NAME)
def test_the_steps_code_imports_nothing_that_is_not_there(pipeline: Any, tmp_path: Path) -> None:
    folder = code.assemble(code.code_of(pipeline.COMMANDS), tmp_path / "code")
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                place = folder / name.replace(".", "/")
                there = place.with_suffix(".py").exists() or (place / "__init__.py").exists()
                assert there or name.partition(".")[0] in THEIRS, (file.name, name)


def test_a_pipelines_code_is_its_scripts_and_what_they_import_and_no_more() -> None:
    places = set(code.code_of(scoring.COMMANDS))
    scored_file = "shared/domain/batches/scored_file.py"
    assert {"pipelines/scoring/predict.py", "serving/arrow.py", "shared/__init__.py", scored_file} < places
    others = {"pipelines/training/train.py", "pipelines/publish.py", "serving/score.py", "shared/ports.py"}
    assert not others & places


@pytest.mark.parametrize("pipeline", [training, scoring], ids=lambda module: module.NAME)
def test_each_step_runs_from_the_code_folder_alone_and_takes_its_options(
    pipeline: Any, tmp_path: Path
) -> None:
    """As on a cluster."""
    folder = code.assemble(code.code_of(pipeline.COMMANDS), tmp_path / "code")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for line in pipeline.COMMANDS:
        command = [sys.executable, "-m", code.module_of(line), "--help"]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        for option in re.findall(r"--[a-z-]+", line):
            assert option in done.stdout, (line, option)


def test_a_version_follows_content_and_not_place(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.py").write_text("1")
    one, other = tmp_path / "a" / "x.py", tmp_path / "b" / "x.py"
    assert code.digest({"x": one}) == code.digest({"x": other})
    assert code.digest({"x": one}) != code.digest({"x": one}, "more")
    assert code.digest({"x": one}) != code.digest({"y": one})
    other.write_text("2")
    assert code.digest({"x": one}) != code.digest({"x": other})


# --- which modules a folder holds ---------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of its own, which each test fills."""
    monkeypatch.setattr(code, "ROOT", tmp_path)
    return tmp_path


def write(tree: Path, **modules: str) -> None:
    """modules: text by dotted name, with underscores twice for the dots"""
    for name, text in modules.items():
        file = tree / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        for folder in file.parent.relative_to(tree).parents:
            package = tree / folder
            if package != tree:
                (package / "__init__.py").touch()
        (file.parent / "__init__.py").touch()


def places(line: str = "python -m pipelines.step --in x") -> list[str]:
    return list(code.code_of([line]))


def test_the_module_of_a_command_line_is_what_follows_m() -> None:
    assert code.module_of("python -m pipelines.training.train --prepared ${{inputs.prepared}}") == (
        "pipelines.training.train"
    )


@pytest.mark.parametrize(
    "text",
    [
        "import serving.model",
        "import serving.model as m",
        "from serving import model",
        "from serving.model import load",
        "def late():\n    from serving.model import load",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from serving.model import Model",
    ],
)
def test_a_module_is_found_however_it_is_imported(tree: Path, text: str) -> None:
    write(tree, pipelines__step=text, serving__model="", serving__other="")
    assert places() == [
        "pipelines/__init__.py",
        "pipelines/step.py",
        "serving/__init__.py",
        "serving/model.py",
    ]


def test_what_an_imported_module_imports_comes_too_and_circles_end(tree: Path) -> None:
    write(
        tree,
        pipelines__step="from shared.a import one",
        shared__a="from shared.deep.b import two",
        shared__deep__b="import shared.a, json, numpy",
    )
    found = places()
    assert [name for name in found if not name.endswith("__init__.py")] == [
        "pipelines/step.py",
        "shared/a.py",
        "shared/deep/b.py",
    ]
    assert {"shared/__init__.py", "shared/deep/__init__.py"} <= set(found)


def test_a_package_brings_what_its_own_file_imports(tree: Path) -> None:
    write(tree, pipelines__step="import serving.model", serving__model="", shared__named="")
    (tree / "serving" / "__init__.py").write_text("from shared import named")
    assert "shared/named.py" in places()


def test_packages_that_are_not_for_the_cluster_stay_here(tree: Path) -> None:
    """It ends where it is tried, by an import that fails, and not on a cluster with half of the app."""
    write(
        tree,
        pipelines__step="import functions.api, localazure.host, arrow",
        functions__api="",
        localazure__host="",
    )
    write(tree, arrow="")
    assert places() == ["pipelines/__init__.py", "pipelines/step.py"]


def test_a_step_that_is_not_there_has_no_code(tree: Path) -> None:
    write(tree, pipelines__step="")
    assert places("python -m pipelines.gone") == ["pipelines/__init__.py"]


def test_a_folder_has_the_bytes_that_lie_here(tree: Path, tmp_path: Path) -> None:
    write(tree, pipelines__step="'\u00e4'\r\n", pipelines__other="1")
    folder = code.assemble(code.code_of(["python -m pipelines.step"]), tmp_path / "out" / "code")
    assert (folder / "pipelines" / "step.py").read_bytes() == (tree / "pipelines" / "step.py").read_bytes()
    assert not (folder / "pipelines" / "other.py").exists()


def test_a_version_is_short_enough_for_a_name_and_fits_one() -> None:
    found = code.digest(code.code_of(training.COMMANDS), "environment", "compute")
    assert re.fullmatch(r"[0-9a-f]{12}", found)


def test_what_else_makes_a_version_is_told_apart() -> None:
    """Joined as they are, two texts could be cut elsewhere and be the same."""
    assert code.digest({}, "ab", "c") != code.digest({}, "a", "bc")
