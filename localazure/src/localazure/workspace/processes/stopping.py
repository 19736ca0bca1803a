"""Ending a run's processes from outside: because it was cancelled, or because the emulator stops."""

from __future__ import annotations

import subprocess
import threading

from localazure.workspace.processes.children import Processes


class Stopped(Exception):
    """The run was asked to end; `Stop.cancelled` says whether for good."""


class Stop:
    """Shared by the threads of one run."""

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

    def wait(self, child: subprocess.Popen[bytes], *, seconds: float | None = None) -> int | None:
        """The child's exit code, None when it took too long; raises when the run was asked to end meanwhile."""
        with self._lock:
            self._children.add(child)
            late = self._asked.is_set()
        if late:
            self._processes.end(child)
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
