"""Processes that outlive the command that started them, known by pid and start time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localazure.private import private_folder

LOG_BYTES = 4 * 1024 * 1024
LOOK_SECONDS = 0.03


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process that was started; `born` distinguishes it from a later one that was given the same pid."""

    pid: int
    born: str

    def is_alive(self) -> bool:
        _reap(self.pid)
        return bool(self.born) and birth(self.pid) == self.born

    def stop(self, *, seconds: float) -> bool:
        """Ask it to end, then insist; False when it had to be killed."""
        if not self.is_alive():
            return True
        family = [self.pid, *descendants(self.pid)]
        self._signal(signal.SIGTERM)
        # One that is paused, by a snapshot that was killed, hears of it only when it goes on.
        for pid in family:
            wake(pid)
        if self._ends_within(seconds):
            return True
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        self._ends_within(5)
        return False

    def _ends_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)
        return True

    def _signal(self, number: int) -> None:
        send(self.pid, number)


def send(pid: int, number: int) -> None:
    """A signal; nothing when there is no such process any more."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def wake(pid: int) -> None:
    """A paused process goes on; others are left as they are."""
    if sys.platform != "win32":  # which pauses none
        send(pid, signal.SIGCONT)


def descendants(pid: int) -> list[int]:
    """Its children, theirs, and so on. None on Windows, where nobody asks for them."""
    if sys.platform == "win32":
        return []
    return [one for child in children(pid) for one in (child, *descendants(child))]


def children(pid: int) -> list[int]:
    """What this process has started and what still runs."""
    if sys.platform == "linux":  # a small image has no ps
        return [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdecimal() and _parent_linux(entry) == pid
        ]
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [line.split() for line in listed.stdout.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def _parent_linux(entry: Path) -> int:
    """Field 4 of /proc/PID/stat; 0 for what has just ended."""
    try:
        return int(_fields(entry)[1])
    except OSError:
        return 0


def start(command: Sequence[str], *, directory: Path, log: Path, env: Mapping[str, str]) -> Process:
    """Start `command` detached from this terminal, with everything it says appended to `log`."""
    with log.open("ab") as written:
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
            child = subprocess.Popen(
                command, cwd=directory, env=env, stdin=subprocess.DEVNULL,
                stdout=written, stderr=written, creationflags=flags,
            )  # fmt: skip
        else:
            child = subprocess.Popen(
                command, cwd=directory, env=env, stdin=subprocess.DEVNULL,
                stdout=written, stderr=written, start_new_session=True,
            )  # fmt: skip
    child.returncode = 0  # it is meant to outlive this process: no warning that it does
    return Process(pid=child.pid, born=birth(child.pid))


def become(command: Sequence[str], *, directory: Path, env: Mapping[str, str]) -> int:
    """Run `command` in place of this process, so that a signal to us is one to it, and it is given all the time it
    needs to end; where a process cannot become another, its exit code."""
    if sys.platform == "win32":
        return subprocess.call(command, cwd=directory, env=env)
    sys.stdout.flush()
    os.chdir(directory)
    os.execve(command[0], list(command), env)  # noqa: S606  (no shell is the point)


def log_end(log: Path) -> int:
    """Where the next line of `log` will be; a log grown large is rotated first."""
    private_folder(log.parent)
    if log.exists() and log.stat().st_size > LOG_BYTES:
        os.replace(log, log.with_suffix(".log.1"))
    return log.stat().st_size if log.exists() else 0


def birth(pid: int) -> str:
    """When the process `pid` started, in whatever form the system has; empty when there is none."""
    if sys.platform == "linux":
        return _birth_linux(pid)
    if sys.platform == "win32":
        return _birth_windows(pid)
    listed = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = listed.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def _birth_linux(pid: int) -> str:
    """Field 22 of /proc/PID/stat; none for a zombie."""
    try:
        fields = _fields(Path(f"/proc/{pid}"))
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _fields(entry: Path) -> list[str]:
    """Those of /proc/PID/stat from the third on: before it stands the name, which may hold anything, and any bytes."""
    return (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _birth_windows(pid: int) -> str:
    if sys.platform != "win32":
        raise AssertionError("only called on Windows")
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32")
    handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return ""
    try:
        code = wintypes.DWORD()
        times = [wintypes.FILETIME() for _ in range(4)]
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        known = kernel.GetProcessTimes(handle, *(ctypes.byref(one) for one in times))
        running = code.value == 259  # STILL_ACTIVE
        return f"{times[0].dwHighDateTime}.{times[0].dwLowDateTime}" if known and running else ""
    finally:
        kernel.CloseHandle(handle)


def _reap(pid: int) -> None:
    """A child of this very process stays a zombie until waited for."""
    if os.name != "nt":
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
