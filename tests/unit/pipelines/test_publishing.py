"""What is published: self-contained code, conda files equal to the locks, versions that follow the content."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines import code, conda, scored_store
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


def test_steps_and_app_write_with_the_same_libraries() -> None:
    """A shard scored by a run is to have the bytes it would have by the endpoint."""
    locks = [conda.ROOT / "requirements.txt", conda.lock_of(conda.TRAINING), conda.lock_of(conda.SERVING)]
    pinned = [re.search(r"^pyarrow==(\S+)", lock.read_text(), re.MULTILINE) for lock in locks]
    assert len({found and found[1] for found in pinned}) == 1


@pytest.mark.parametrize(
    ("storage", "account", "endpoint", "protocol"),
    [
        ("https://bank.blob.core.windows.net/", "bank", "core.windows.net", "https"),
        ("https://bank.blob.core.chinacloudapi.cn", "bank", "core.chinacloudapi.cn", "https"),
        (
            "DefaultEndpointsProtocol=https;AccountName=bank;AccountKey=a==",
            "bank",
            "core.windows.net",
            "https",
        ),
        ("AccountName=a;AccountKey=b;BlobEndpoint=http://127.0.0.1:10/a;", "a", "127.0.0.1:10", "http"),
    ],
)
def test_a_datastore_names_the_account(storage: str, account: str, endpoint: str, protocol: str) -> None:
    found = {"account_name": account, "endpoint": endpoint, "protocol": protocol}
    assert scored_store.place_of(storage) == found


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
    assert code.digest({"x": one}) == code.digest({"x": other})
    assert code.digest({"x": one}) != code.digest({"x": one}, "more")
    assert code.digest({"x": one}) != code.digest({"y": one})
    other.write_text("2")
    assert code.digest({"x": one}) != code.digest({"x": other})
