"""Where the child process of a job or a deployment starts and ends: process groups, reaped after a kill by a record."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

_MARK = "LOCALAZURE_WORKSPACE_OWNER"
_LAUNCHER = Path(__file__).with_name("launcher.py")
_GRACE_SECONDS = 5.0


class Processes:
    """Every child leads a session of its own and carries our mark in its environment.

    A kill -9 of the emulator takes the leaders with it (Linux: PR_SET_PDEATHSIG, set by `launcher.py`); their
    children may stay. The next start finds them by their group's record and proves them ours by the mark.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._owner = str(folder.resolve())

    def start(
        self, command: list[str], *, directory: Path, environment: Mapping[str, str], log: IO[bytes] | int
    ) -> subprocess.Popen[bytes]:
        """Start it from a thread that stays for as long as the child should: its end ends the child."""
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), str(self._folder), *command],
            cwd=directory,
            env={**environment, _MARK: self._owner},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return child

    def end(self, child: subprocess.Popen[bytes], *, seconds: float = _GRACE_SECONDS) -> None:
        """Asks the whole group to stop, and insists after a while."""
        _signal_group(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
        _signal_group(child.pid, signal.SIGKILL)
        child.wait()
        self.forget(child)

    def forget(self, child: subprocess.Popen[bytes]) -> None:
        """The leader has ended: whatever it left behind in its group ends too."""
        _signal_group(child.pid, signal.SIGKILL)
        (self._folder / str(child.pid)).unlink(missing_ok=True)

    def reap(self) -> int:
        """Kills what an earlier life of this workspace left running; how many groups there were."""
        found = 0
        for record in self._folder.iterdir():
            group = int(record.name)
            if any(self._is_ours(process) for process in _members(group)):
                _signal_group(group, signal.SIGKILL)
                _wait_gone(group)
                found += 1
            record.unlink(missing_ok=True)
        return found

    def _is_ours(self, process: int) -> bool:
        """Process ids are used again; the mark is what says it is still the one we started."""
        return f"{_MARK}={self._owner}" in _environment(process)


def last_lines(file: Path, count: int) -> str:
    """The end of a log, for an error's message."""
    text = file.read_text(encoding="utf-8", errors="replace").rstrip()
    return "\n".join(text.splitlines()[-count:]) or "(nothing)"


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _wait_gone(group: int) -> None:
    deadline = time.monotonic() + _GRACE_SECONDS
    while _members(group) and time.monotonic() < deadline:
        time.sleep(0.02)


def _members(group: int) -> list[int]:
    """Living processes of a group; asked of ps, which both Linux and macOS have."""
    if Path("/proc/self/stat").exists():
        return [process for process in _all_processes() if _group_of(process) == group]
    listed = subprocess.run(["ps", "-A", "-o", "pid=,pgid="], capture_output=True, text=True, check=True)
    pairs = (line.split() for line in listed.stdout.splitlines())
    return [int(process) for process, of in pairs if int(of) == group]


def _all_processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _group_of(process: int) -> int | None:
    """None for one that has ended, a zombie too."""
    try:
        fields = (
            Path(f"/proc/{process}/stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()
        )
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[2])


def _environment(process: int) -> str:
    file = Path(f"/proc/{process}/environ")
    try:
        if file.exists():
            return file.read_bytes().decode(errors="replace")
        told = subprocess.run(
            ["ps", "eww", "-o", "command=", "-p", str(process)], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return told.stdout
