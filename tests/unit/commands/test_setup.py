"""Set-up: stamps, interrupted installs, and that a second start does nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commands import catalog
from commands.setup import console, environments, linters, localazure, needs, venv

ROOT = Path(__file__).parents[3]


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock that installs nothing, so that pip has nothing to fetch."""
    made = tmp_path / "requirements.txt"
    made.write_text("# nothing\n")
    return made


def test_an_interrupted_install_is_redone(tmp_path: Path, lock: Path) -> None:
    folder = tmp_path / "venv"
    folder.mkdir()
    (folder / "half").write_text("of a package")
    assert not venv.is_ready(folder, lock)
    venv.install(folder, lock, label="a test")
    assert venv.is_ready(folder, lock)
    assert not (folder / "half").exists()
    lock.write_text("# something else\n")
    assert not venv.is_ready(folder, lock)


def test_a_failing_step_shows_its_end_and_its_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", "print('reason'); raise SystemExit(3)"]
    with pytest.raises(console.SetupError, match="reason") as problem:
        console.run(command, label="a step", log=tmp_path / "x.log", counted="^Collecting")
    assert str(tmp_path / "x.log") in str(problem.value)
    assert "a step ... FAILED" in capfd.readouterr().err


def test_progress_counts(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", "print('Collecting a\\nCollecting b')"]
    console.run(command, label="a step", log=tmp_path / "x.log", counted="^Collecting")
    assert "2 packages" in capfd.readouterr().err


def test_nothing_is_done_when_all_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(needs, "_is_ready", lambda root, need: True)
    needs.provide(tmp_path, catalog.EVERYTHING)
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_installed_in_order_once_and_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installed: list[str] = []
    monkeypatch.setenv("LOCALAZURE_HOME", str(tmp_path / "azurite"))
    monkeypatch.setattr(venv, "is_ready", lambda folder, lock: folder.name in installed)
    monkeypatch.setattr(venv, "install", lambda folder, lock, label: installed.append(folder.name))
    for module, ready, install, name in (
        (localazure, "is_ready", "install", "localazure"),
        (localazure, "has_storage", "install_storage", "storage"),
        (environments, "is_ready", "install", "environments"),
        (linters, "is_ready", "install", "linters"),
    ):
        monkeypatch.setattr(module, ready, lambda root, name=name: name in installed)
        monkeypatch.setattr(module, install, lambda root, name=name: installed.append(name))
    needs.provide(tmp_path, (*catalog.EVERYTHING, catalog.UV, catalog.LINTERS))
    needs.provide(tmp_path, catalog.EVERYTHING)
    assert installed == [".venv", "localazure", "storage", "environments", ".uv", "linters"]
    assert capsys.readouterr().err.count("Setting up this checkout") == 1


def test_every_command_is_listed_and_helps() -> None:
    listed = subprocess.run([sys.executable, "dev"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in catalog.COMMANDS:
        assert f"  {name} " in listed.stdout
    for name in ("up", "drop", "trace", "events", "events serve"):
        shown = subprocess.run(
            [sys.executable, "dev", *name.split(), "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "usage:" in shown.stdout


def test_each_command_has_a_file_of_its_name_and_no_other_file_lies_there() -> None:
    files = {file.stem for file in (ROOT / "commands").glob("*.py")} - {"__init__", "__main__", "catalog"}
    assert files == {name.replace("-", "_") for name in catalog.COMMANDS}


def test_an_unknown_command_is_named() -> None:
    told = subprocess.run(
        [sys.executable, "dev", "fly"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert "no command 'fly'" in told.stderr


def test_an_environment_is_built_again_when_a_file_beside_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / environments.PLACE
    folder.mkdir(parents=True)
    (folder / "environment.yml").write_text("conda_file: conda.yml")
    (folder / "conda.yml").write_text("dependencies: []")
    built: list[str] = []
    monkeypatch.setattr(environments, "run", lambda command, **_: built.append(Path(command[4]).name))
    assert not environments.is_ready(tmp_path)
    environments.install(tmp_path)
    assert built == ["conda.yml", "environment.yml"]
    assert environments.is_ready(tmp_path)
    (folder / "conda.yml").write_text("dependencies: [pip]")
    assert not environments.is_ready(tmp_path)


def test_the_embedded_azure_is_installed_again_when_its_pyproject_or_lock_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "localazure" / "src" / "localazure" / "storage" / "package-lock.json"
    lock.parent.mkdir(parents=True)
    project = tmp_path / "localazure" / "pyproject.toml"
    for file in (lock, project):
        file.write_text("{}")
    (tmp_path / ".venv").mkdir()
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("LOCALAZURE_HOME", str(programs))
    ran: list[list[str]] = []
    monkeypatch.setattr(localazure, "run", lambda command, **_: ran.append(command))
    steps = (
        (localazure.is_ready, localazure.install, project),
        (localazure.has_storage, localazure.install_storage, lock),
    )
    for is_ready, install, file in steps:
        assert not is_ready(tmp_path)
        install(tmp_path)
        assert is_ready(tmp_path)
        file.write_text('{"changed": true}')
        assert not is_ready(tmp_path)
    assert "--no-index" in ran[0]
    assert ran[1][1:] == ["-m", "localazure", "setup"]


def test_programs_of_the_embedded_azure_are_kept_in_the_checkout_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALAZURE_HOME", "elsewhere")
    localazure.install_programs_in(tmp_path)
    assert os.environ["LOCALAZURE_HOME"] == "elsewhere"
    monkeypatch.delenv("LOCALAZURE_HOME")
    localazure.install_programs_in(tmp_path)
    assert Path(os.environ["LOCALAZURE_HOME"]).parent == tmp_path


def test_linters_are_installed_again_when_their_lock_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / linters.FOLDER
    (folder / "node_modules").mkdir(parents=True)
    (folder / "package-lock.json").write_text("{}")
    ran: list[list[str]] = []
    monkeypatch.setattr(linters, "run", lambda command, **_: ran.append(command))
    assert not linters.is_ready(tmp_path)
    linters.install(tmp_path)
    assert linters.is_ready(tmp_path)
    assert [command[1:] for command in ran] == [["-m", "commands.setup.linters"]]
    (folder / "package-lock.json").write_text('{"changed": true}')
    assert not linters.is_ready(tmp_path)


def test_only_checks_and_tests_need_linters() -> None:
    needing = {name for name, command in catalog.COMMANDS.items() if catalog.LINTERS in command.needs}
    assert needing == {"check", "test"}


def test_linters_are_locked_by_hash_and_name_no_registry() -> None:
    folder = ROOT / linters.FOLDER
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    asked = json.loads((folder / "package.json").read_text())["devDependencies"]
    assert packages.pop("")["devDependencies"] == asked
    for name, version in asked.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
