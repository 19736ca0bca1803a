"""Ending a run's, or a deployment's, processes from outside: it was cancelled or deleted, or the emulator stops."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from localazure.workspace.processes.children import Processes

_LOOK_SECONDS = 0.2


class Stopped(Exception):
    """The run, or deployment, was asked to end; `Stop.cancelled` says whether for good."""


class Stop:
    """Shared by the threads of one run, or of one deployment."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._lock = threading.Lock()
        self._children: set[subprocess.Popen[bytes]] = set()
        self._asked = threading.Event()
        self.cancelled = False

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def ask(self, *, cancel: bool) -> None:
        """Ends every child there is, and every one that comes later."""
        with self._lock:
            self.cancelled = self.cancelled or cancel
            self._asked.set()
            children = list(self._children)
        for child in children:
            self._processes.end(child)

    def check(self) -> None:
        if self.asked:
            raise Stopped

    def pause(self, seconds: float) -> None:
        """Waits so long, or until the run is asked to end."""
        self._asked.wait(seconds)

    @contextlib.contextmanager
    def turn(self, slots: threading.Semaphore) -> Iterator[None]:
        """Waits for one of the slots, and holds it; raises Stopped when the run is asked to end meanwhile."""
        self.check()
        while not slots.acquire(timeout=_LOOK_SECONDS):
            self.check()
        try:
            yield
        finally:
            slots.release()

    def lines(self, command: list[str], environment: Mapping[str, str]) -> Iterator[str]:
        """What a command says, line by line. raises: CalledProcessError, and Stopped once the run was asked to end,
        which ends the command"""
        child = self._processes.start(
            command, directory=Path.cwd(), environment=environment, log=subprocess.PIPE
        )
        self._take(child)
        try:
            for line in child.stdout or ():
                yield line.decode(errors="replace").rstrip()
        finally:
            code = self.wait(child)
        if code:
            raise subprocess.CalledProcessError(code, command)

    def _take(self, child: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._children.add(child)
            late = self._asked.is_set()
        if late:
            self._processes.end(child)

    def wait(self, child: subprocess.Popen[bytes], *, seconds: float | None = None) -> int | None:
        """The child's exit code, None when it took too long; raises when the run was asked to end meanwhile."""
        self._take(child)
        code: int | None = None
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            self._processes.end(child)
        with self._lock:
            self._children.discard(child)
        self._processes.forget(child)
        self.check()
        return code
