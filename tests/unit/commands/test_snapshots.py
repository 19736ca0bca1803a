"""Snapshots of a stack: whole or not at all, under a name of its own, and nothing stays paused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import ROOT, snapshot
from commands.stack import processes, snapshots
from commands.stack.errors import StackError
from commands.stack.snapshots import Snapshots
from commands.stack.state import Stack

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes cannot be paused there")
PARENT = (
    "import subprocess, time; subprocess.Popen(['sleep', '1000'], start_new_session=True); time.sleep(1000)"
)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """One whose storage is a process with a child of another session, as Azurite is."""
    made = Stack(tmp_path / "state")
    made.prepare()
    (made.state / "storage").mkdir()
    (made.state / "storage" / "rows").write_text("as it was")
    begun = processes.start(
        [sys.executable, "-c", PARENT], directory=tmp_path, log=tmp_path / "log", env=dict(os.environ)
    )
    made.started("storage", begun)
    while not (children := processes.children(begun.pid)):
        continue
    yield made
    for pid in (*children, begun.pid):
        processes.send(pid, 9)


def _states(stack: Stack) -> set[str]:
    """Of the process and its child: T is paused."""
    process = stack.process("storage")
    assert process
    pids = (process.pid, *processes.children(process.pid))
    return {Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in pids}


linux = pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")


@linux
def test_all_processes_are_paused_while_it_is_copied_and_none_after(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[str]] = []
    copy = snapshots._copy
    monkeypatch.setattr(snapshots, "_copy", lambda *a: (seen.append(_states(stack)), copy(*a)))
    Snapshots(tmp_path / "kept").save(stack, "one")
    assert seen == [{"T"}]
    assert "T" not in _states(stack)


@linux
def test_what_cannot_be_copied_leaves_nothing_and_nothing_paused(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshots, "_copy", full)
    with pytest.raises(OSError, match="No space"):
        Snapshots(tmp_path / "kept").save(stack, "one")
    assert list((tmp_path / "kept").iterdir()) == []
    assert "T" not in _states(stack)


def test_it_goes_back_to_what_was(stack: Stack, tmp_path: Path) -> None:
    kept = Snapshots(tmp_path / "kept")
    kept.save(stack, "one")
    (stack.state / "storage" / "rows").write_text("as it became")
    (stack.state / "storage" / "more").write_text("since")
    back = kept.load("one", stack.state)
    assert (back.state / "storage" / "rows").read_text() == "as it was"
    assert not (back.state / "storage" / "more").exists()
    assert back.process("storage") is None, "the processes of then are not those of now"
    assert [each.name for each in stack.state.parent.glob("state.*")] == []


@pytest.mark.parametrize("whose", ["state", "state.before", "state.loading"])
def test_a_folder_of_somebodys_own_is_not_replaced(stack: Stack, tmp_path: Path, whose: str) -> None:
    kept = Snapshots(tmp_path / "kept")
    kept.save(stack, "one")
    elsewhere = tmp_path / "elsewhere"
    own = elsewhere / whose / "mine.txt"
    own.parent.mkdir(parents=True)
    own.touch()
    with pytest.raises(StackError, match="was not made by"):
        kept.load("one", elsewhere / "state")
    assert [file for file in elsewhere.rglob("*") if file.is_file()] == [own]


def test_half_a_load_is_not_in_the_way_of_the_next(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Snapshots(tmp_path / "kept")
    kept.save(stack, "one")
    copy = snapshots._copy

    def broken(source: Path, target: Path) -> None:
        copy(source / "storage", target / "storage")
        raise KeyboardInterrupt

    monkeypatch.setattr(snapshots, "_copy", broken)
    with pytest.raises(KeyboardInterrupt):
        kept.load("one", stack.state)
    monkeypatch.setattr(snapshots, "_copy", copy)
    assert (kept.load("one", stack.state).state / "storage" / "rows").read_text() == "as it was"


def test_a_stack_within_is_neither_copied_nor_lost(stack: Stack, tmp_path: Path) -> None:
    """The demo's lies in the folder of `./dev up`."""
    kept = Snapshots(tmp_path / "kept")
    demo = Stack(stack.state / "demo")
    demo.prepare()
    (demo.state / "rows").write_text("of the demo")
    kept.save(stack, "one")
    assert not (kept.folder / "one" / "state" / "demo").exists()
    (demo.state / "rows").write_text("as they became")
    kept.load("one", stack.state)
    assert (demo.state / "rows").read_text() == "as they became"
    assert Stack(demo.state).ports == demo.ports


def test_a_stack_that_runs_within_is_not_moved(stack: Stack, tmp_path: Path) -> None:
    kept = Snapshots(tmp_path / "kept")
    kept.save(stack, "one")
    process = stack.process("storage")
    assert process
    demo = Stack(stack.state / "demo")
    demo.prepare()
    demo.started("storage", process)  # any that lives
    with pytest.raises(StackError, match=r"another stack runs in .*demo: `\./dev down --state"):
        kept.load("one", stack.state)
    assert process.is_alive(), "what is refused stops nothing"


def test_names_are_taken_once(stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = Snapshots(tmp_path / "kept")
    kept.save(stack, "one")
    with pytest.raises(StackError, match="another name, or --replace"):
        kept.save(stack, "one")
    kept.save(stack, "one", replace=True)
    for wrong in ("", "../up", ".hidden", "a/b"):
        with pytest.raises(StackError, match="is no name"):
            kept.save(stack, wrong)
    with pytest.raises(StackError, match=r"there is no snapshot 'two' in .*; there are: one"):
        kept.load("two", stack.state)
    with pytest.raises(StackError, match="is there already: a fork is a new folder"):
        kept.fork("one", stack.state)
    assert snapshot.main(["remove", "one", "--snapshots", str(kept.folder)]) == 0
    capsys.readouterr()
    assert snapshot.main(["list", "--snapshots", str(kept.folder)]) == 0
    assert "There are none" in capsys.readouterr().out


def test_a_fork_has_other_ports(stack: Stack, tmp_path: Path) -> None:
    kept = Snapshots(tmp_path / "kept")
    kept.save(stack, "one")
    fork = kept.fork("one", tmp_path / "fork")
    assert set(fork.ports) == set(stack.ports)
    assert not set(fork.ports.values()) & set(stack.ports.values())
    assert fork.event_key == stack.event_key


def test_half_a_fork_is_none(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would run with the addresses of the stack that it is of, and call that."""
    kept = Snapshots(tmp_path / "kept")
    kept.save(stack, "one")

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(snapshots, "_others", broken)
    with pytest.raises(KeyboardInterrupt):
        kept.fork("one", tmp_path / "fork")
    assert not (tmp_path / "fork").exists()


@linux
def test_a_process_may_have_any_name(tmp_path: Path) -> None:
    """One of another program, that is no UTF-8, stands beside ours in /proc."""
    naming = "import time; open('/proc/self/comm', 'wb').write(b') \\xff'); print(); time.sleep(1000)"
    log = tmp_path / "log"
    named = processes.start(
        [sys.executable, "-uc", naming], directory=tmp_path, log=log, env=dict(os.environ)
    )
    while not log.read_bytes():
        continue
    try:
        assert named.pid in processes.children(os.getpid())
        assert named.is_alive()
    finally:
        processes.send(named.pid, 9)


SAVING = """
import signal, sys, time
from pathlib import Path
from commands.stack import snapshots
from commands.stack.state import Stack

def copy(*_):
    print("copies", flush=True)
    time.sleep(1000)

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which tests under nohup hand on as ignored
snapshots._copy = copy
snapshots.Snapshots(Path(sys.argv[2])).save(Stack(Path(sys.argv[1])), "one")
"""


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_ends_it_while_it_copies_leaves_nothing_paused(
    stack: Stack, tmp_path: Path, number: signal.Signals
) -> None:
    """A closed terminal, or the end of a CI job."""
    command = [sys.executable, "-c", SAVING, str(stack.state), str(tmp_path / "kept")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as saving:
        try:
            assert saving.stdout
            assert saving.stdout.readline() == "copies\n"
            assert _states(stack) == {"T"}
            saving.send_signal(number)
            assert saving.wait(20) == 128 + number
        finally:
            saving.kill()
    assert "T" not in _states(stack)
    assert list((tmp_path / "kept").iterdir()) == []


@linux
def test_what_is_still_paused_is_stopped_all_the_same(stack: Stack) -> None:
    """A kill -9 of a snapshot leaves it so."""
    process = stack.process("storage")
    assert process
    [child] = processes.children(process.pid)
    snapshots._pause(process.pid, [])
    assert process.stop(seconds=5)
    assert processes._fields(Path(f"/proc/{child}"))[0] != "T"
