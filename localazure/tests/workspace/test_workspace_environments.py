"""Conda files and what becomes of them."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from localazure.workspace.processes.environments import EnvironmentFailed, Environments, conda_text, pip_lines


def test_hashes_stay_with_their_requirement() -> None:
    definition = {
        "dependencies": [
            "python=3.11",
            "pip",
            {"pip": ["a==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2", "b==2"]},
        ]
    }
    assert pip_lines(definition) == ["a==1      --hash=sha256:1      --hash=sha256:2", "b==2"]
    assert pip_lines({"dependencies": [{"pip": ["a==1", "--hash=sha256:1", "# why"]}]}) == [
        "a==1 --hash=sha256:1"
    ]


def test_conda_packages_that_pypi_has_under_the_same_name_come_from_there() -> None:
    conda = [
        "conda-forge::numpy=1.26",
        "scipy=1.10.1",
        "pandas==2.2.*",
        "lightgbm>=4,<5",
        "scikit-learn",
        "pip=23",
    ]
    assert pip_lines({"dependencies": [*conda, "pyarrow=17.0.0=py311_1"]}) == [
        "numpy==1.26.*", "scipy==1.10.1", "pandas==2.2.*", "lightgbm>=4,<5", "scikit-learn", "pyarrow==17.0.0",
    ]  # fmt: skip


def test_other_conda_packages_are_refused_by_name() -> None:
    with pytest.raises(EnvironmentFailed, match="openjdk=17"):
        pip_lines({"dependencies": ["conda-forge::openjdk=17"]})


def test_equal_files_are_built_once_whoever_asks(tmp_path: Path) -> None:
    """The name and the layout of a conda file do not make another environment."""
    environments = Environments(tmp_path)
    said: list[str] = []
    texts = ["name: a\ndependencies: [python=3.11]\n", "dependencies:\n- python=3.11\nname: b\n"]
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda text=text: found.append(environments.interpreter(text, said.append)))
        for text in texts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert len([line for line in said if line.endswith(": ready")]) == 1
    (found[0].parents[1] / "complete").unlink()
    environments.interpreter(texts[0], said.append)
    assert any("cut short" in line for line in said)


@pytest.mark.slow
def test_a_requirement_that_does_not_exist_fails_with_the_installers_words(tmp_path: Path) -> None:
    file = tmp_path / "environment.yaml"
    file.write_text("name: x\nconda_file: conda.yaml\nimage: ubuntu\n")
    (tmp_path / "conda.yaml").write_text("dependencies: [{pip: ['/nowhere/at_all-1-py3-none-any.whl']}]\n")
    assert "nowhere" in conda_text(file)
    command = [
        sys.executable,
        "-m",
        "localazure",
        "environment",
        str(file),
        "--environments",
        str(tmp_path),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "/nowhere/at_all-1-py3-none-any.whl" in ended.stderr
