"""What `./dev chaos` holds against the stack, and what its command line says, without a stack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commands import ROOT, chaos
from commands.resilience import invariants
from commands.resilience.scenarios import SCENARIOS, NotHere, disk_of_its_own
from commands.resilience.site import Site
from commands.stack import processes
from commands.stack.errors import StackError
from commands.stack.state import Stack


def test_a_state_that_is_taken_back_is_a_violation(tmp_path: Path) -> None:
    polling = invariants.Polling(Site(Stack(tmp_path)))
    polling._look("batch", {"id": "a", "state": "scored"})
    polling._look("batch", {"id": "a", "state": "scored"})
    assert polling.violations == []
    polling._look("batch", {"id": "a", "state": "scoring"})
    assert polling.violations == ["I4: batch a was told as scored, and then as scoring"]


def test_where_a_fault_cannot_be_made_it_was_not_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(*_: object) -> list[str]:
        raise NotHere("no disk of its own can be had here")

    monkeypatch.setattr(chaos, "disk_of_its_own", none)
    assert chaos.main(["--only", "disk", "--json", "--state", str(tmp_path)]) == chaos.NOT_HERE
    (told,) = json.loads(capsys.readouterr().out)["scenarios"]
    assert (told["not_here"], told["violations"]) == ("no disk of its own can be had here", [])


def test_its_help_names_each_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        chaos.main(["--help"])
    said = capsys.readouterr().out
    assert [each.breaks for each in SCENARIOS.values() if each.breaks not in said] == []


def test_a_stack_that_is_there_is_not_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Stack(tmp_path).prepare()
    monkeypatch.setattr(chaos, "SCENARIOS", {})
    with pytest.raises(StackError, match="is there already"):
        chaos.main(["--small", "--state", str(tmp_path)])


IN_ONE_STACK = """
import os, sys, time
from commands import chaos
from commands.stack import processes, supervisor


def up(stack, announce, settings):
    stack.prepare(settings)
    begun = processes.start([sys.executable, "-c", "import time; time.sleep(1000)"], directory=stack.state,
                            log=stack.state / "log", env=dict(os.environ))
    stack.started("storage", begun)
    print(begun.pid, flush=True)
    time.sleep(1000)


supervisor.up = up
sys.exit(chaos.main(["--only", "host", "--small"]))
"""
ON_A_SMALL_DISK = """
import sys
from commands import chaos

INNER = '''
import os, signal, sys, time


def end(*_):
    time.sleep(0.5)
    sys.exit(143)


signal.signal(signal.SIGTERM, end)
print(os.getpid(), flush=True)
time.sleep(1000)
'''
chaos.disk_of_its_own = lambda *_: [sys.executable, "-c", INNER]
sys.exit(chaos.main(["--only", "disk", "--small"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGTERM")
@pytest.mark.parametrize("program", [IN_ONE_STACK, ON_A_SMALL_DISK], ids=["in one stack", "on a small disk"])
def test_ended_by_a_signal_it_stops_its_stack_and_names_its_folder(program: str, tmp_path: Path) -> None:
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "localazure" / "src")]),
        "TMPDIR": str(tmp_path),
    }
    with subprocess.Popen(
        [sys.executable, "-c", program], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        pid = int(running.stdout.readline())
        begun = processes.Process(pid=pid, born=processes.birth(pid))
        assert begun.is_alive()
        try:
            running.terminate()
            said = running.communicate(timeout=60)[1]
            assert running.returncode == 143
            assert not begun.is_alive()
        finally:
            begun.stop(seconds=5)
    (folder,) = tmp_path.glob("campanha-chaos-*")
    assert f"is in {folder}." in said


def test_a_disk_of_its_own_may_lie_in_any_folder(tmp_path: Path) -> None:
    plain, odd = tmp_path / "plain", tmp_path / "it's mine; or not"
    for folder in (plain, odd):
        folder.mkdir()
    try:
        disk_of_its_own(plain, 1)
    except NotHere as problem:
        pytest.skip(str(problem))
    command = [*disk_of_its_own(odd, 1), "stat", "-f", "-c", "%T", str(odd)]
    assert subprocess.check_output(command, text=True).strip() == "tmpfs"
