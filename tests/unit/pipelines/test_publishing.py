"""What is published: self-contained code, conda files equal to the locks, versions that follow the content."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
import yaml

from pipelines import conda, publish, training


def test_the_steps_code_imports_nothing_that_is_not_there(tmp_path: Path) -> None:
    folder = publish.assemble(tmp_path / "code")
    present = {path.stem for path in folder.glob("*.py")}
    allowed = {*present, *sys.stdlib_module_names, "azure", "lightgbm", "llvmlite", "numpy", "pyarrow"}
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= allowed, file.name


def test_each_step_has_its_script_and_takes_the_options_it_is_given() -> None:
    for line in training.COMMANDS:
        _, script, *_ = line.split()
        text = (conda.ROOT / "pipelines" / "steps" / script).read_text()
        for option in re.findall(r"--[a-z-]+", line):
            assert f'"{option}"' in text, (script, option)


@pytest.mark.parametrize("file", [conda.TRAINING, conda.SERVING])
def test_conda_files_are_their_locks(file: Path) -> None:
    assert file.read_text() == conda.text_of(file), "run python -m pipelines.conda"
    pip = yaml.safe_load(file.read_text())["dependencies"][-1]["pip"]
    assert all(" --hash=sha256:" in line for line in pip)
    locked = re.findall(r"^[a-z0-9].*?==[^ \n]+", conda.lock_of(file).read_text(), re.MULTILINE)
    assert [line.split(" ")[0] for line in pip] == [line.split(" ")[0] for line in locked]


def test_a_version_follows_content_and_not_place(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.py").write_text("1")
    one, other = tmp_path / "a" / "x.py", tmp_path / "b" / "x.py"
    assert publish.digest([one]) == publish.digest([other])
    assert publish.digest([one]) != publish.digest([one], "more")
    other.write_text("2")
    assert publish.digest([one]) != publish.digest([other])
