"""What up, down, reset and publish tell the person who runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from commands import down, publish, reset, up
from commands.stack import processes, supervisor
from commands.stack.errors import StackError
from commands.stack.parts import PARTS
from commands.stack.state import Stack
from tests.unit.commands.small_stack import only_two_parts

ROOT = Path(__file__).parents[3]
FULL = "The disk is full: make room, then run it again (`./dev doctor` says what takes it here).\n"
Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """For a stack of two parts; whatever still runs at the end is stopped."""
    only_two_parts(monkeypatch)
    made = tmp_path / "state"
    yield made
    supervisor.down(Stack(made))


def test_a_stack_from_its_first_start_to_its_removal(folder: Path, capsys: Capsys) -> None:
    where = ["--state", str(folder)]
    assert up.main(where) == 0
    said = capsys.readouterr()
    ports = Stack(folder).ports
    assert re.findall(r"^  (\w+) +ready in [\d.]+ s +(\S+)$", said.err, re.MULTILINE) == [
        ("storage", f"http://127.0.0.1:{ports['blob']}"),
        ("events", f"http://127.0.0.1:{ports['events']}"),
    ]
    assert re.search(r"Up in [\d.]+ s\. Next: \./dev publish", said.out)
    assert up.main(where) == 0
    assert re.findall(r"^  (\w+) +runs already", capsys.readouterr().err, re.MULTILINE) == [
        "storage",
        "events",
    ]
    assert down.main(where) == 0
    assert re.fullmatch(r"Stopped events, storage in [\d.]+ s\.\n", capsys.readouterr().out)
    assert down.main(where) == 0
    assert capsys.readouterr().out == f"Nothing runs in {folder}.\n"
    assert reset.main([*where, "--yes"]) == 0
    assert capsys.readouterr().out == f"Removed {folder}.\n"
    assert not folder.exists()
    assert reset.main(where) == 0
    assert capsys.readouterr().out == f"There is nothing in {folder}.\n"


def test_what_had_to_be_killed_is_said(state: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    monkeypatch.setattr(supervisor, "down", lambda stack: ["host"])
    assert down.main(["--state", str(state)]) == 0
    said = capsys.readouterr().out
    assert "Stopped work, host, workspace, events, storage, faults in" in said
    assert f"Had to kill host: the end of the logs in {state / 'logs'} may say why." in said


# --- settings of `up` ---------------------------------------------------------------------------------------


def test_a_setting_without_a_value_starts_nothing(folder: Path) -> None:
    with pytest.raises(StackError, match=r"--set takes NAME=VALUE, not 'GATHER_QUIET_SECONDS'\."):
        up.main(["--state", str(folder), "--set", "GATHER_QUIET_SECONDS"])
    assert not folder.exists()


def test_a_chosen_setting_the_app_cannot_read_is_said_at_once(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setattr(supervisor, "up", lambda stack, announce, settings: stack.prepare(settings))
    assert up.main(["--state", str(state), "--set", "GATHER_QUIET_SECONDS=2"]) == 0
    assert "Up in" in capsys.readouterr().out
    with pytest.raises(StackError, match="GATHER_QUIET_SECONDS: Input should be a valid integer"):
        up.main(["--state", str(state), "--set", "GATHER_QUIET_SECONDS=a while"])
    assert "Up in" not in capsys.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here is full")
@pytest.mark.parametrize("there_before", [False, True])
def test_a_full_disk_is_said_in_a_sentence(folder: Path, there_before: bool) -> None:
    """And whatever runs is stopped all the same, though that cannot be written down."""
    if there_before:
        up.main(["--state", str(folder)])
    folder.mkdir(exist_ok=True)
    (folder / "stack.new").symlink_to("/dev/full")
    for command in (["up", "--set", "GATHER_QUIET_SECONDS=2"], ["down"]):
        told = subprocess.run(
            [sys.executable, "commands/__main__.py", *command, "--state", str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if there_before or command[0] == "up":
            assert (told.returncode, told.stderr) == (1, FULL)
    (folder / "stack.new").unlink()
    assert not [part for part in PARTS if Stack(folder).process(part)]


# --- reset ----------------------------------------------------------------------------------------------------


def test_reset_removes_only_what_dev_made(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"")
    with pytest.raises(StackError, match="not made by"):
        reset.main(["--state", str(tmp_path), "--yes"])
    assert (tmp_path / "photo.jpg").exists()


@pytest.mark.parametrize(("answer", "gone"), [("n", False), ("", False), ("Yes", True)])
def test_reset_asks_whoever_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys, answer: str, gone: bool
) -> None:
    Stack(tmp_path).prepare()
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert reset.main(["--state", str(tmp_path)]) == (0 if gone else 1)
    assert ("Removed" if gone else "Nothing was removed.") in capsys.readouterr().out
    assert tmp_path.exists() is not gone


class Terminal:
    """A stdin with somebody at it."""

    def isatty(self) -> bool:
        return True


def test_reset_removes_nothing_where_nobody_can_answer(tmp_path: Path) -> None:
    Stack(tmp_path).prepare()
    with pytest.raises(StackError, match="`--yes` says so beforehand"):
        reset.main(["--state", str(tmp_path)])
    assert tmp_path.exists()


def test_reset_stops_what_runs_within(tmp_path: Path) -> None:
    """The demo's stack lies in the folder of `./dev up`, and is left running."""
    folder = tmp_path / "state"
    Stack(folder).prepare()
    within = Stack(folder / "demo")
    within.prepare()
    sleeping = [sys.executable, "-c", "import time; time.sleep(1000)"]
    begun = processes.start(sleeping, directory=tmp_path, log=tmp_path / "log", env=dict(os.environ))
    try:
        within.started("storage", begun)
        assert reset.main(["--state", str(folder), "--yes"]) == 0
        assert not begun.is_alive()
        assert not folder.exists()
    finally:
        begun.stop(seconds=5)


def test_a_damaged_state_is_what_reset_is_for(tmp_path: Path, capsys: Capsys) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "stack.json").write_text("{")
    assert reset.main(["--state", str(folder), "--yes"]) == 0
    said = capsys.readouterr()
    assert "stack.json is damaged" in said.err
    assert said.out == f"Removed {folder}.\n"


# --- publish ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 2])
def test_publish_hands_its_options_on_and_says_where_v1_calls_go(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys, code: int
) -> None:
    asked: list[tuple[list[str], Mapping[str, str]]] = []

    def call(command: list[str], *, cwd: Path, env: Mapping[str, str], **_: object) -> int:
        asked.append((command, env))
        return code

    monkeypatch.setattr(subprocess, "call", call)
    assert publish.main(["--state", str(state), "--compute", "serverless"]) == code
    ((command, env),) = asked
    stack = Stack(state)
    assert command[1:] == ["-m", "pipelines.publish", "--compute", "serverless"]
    assert env["CAMPANHA_STORAGE"] == stack.connection_string
    assert env["AZUREML_DEV_URL_MFE"] == stack.workspace_url
    said = capsys.readouterr().out
    assert (f"also a v1 published pipeline: {stack.workspace_url}/pipelines/v1.0/" in said) == (code == 0)


def test_what_needs_a_running_stack_ends_with_one_sentence(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "commands/__main__.py", "publish", "--state", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stdout) == (1, "")
    assert (
        told.stderr == f"not running in {tmp_path}: storage, workspace. `./dev up` starts what is missing.\n"
    )
