"""Runs one Azurite: starts it, knows when it serves, stops it, and never leaves it behind.

A `kill -9` of this process closes the pipe that Azurite watches, so Azurite ends by itself. A `kill -9` of *node* loses
nothing that was answered: see journal.js. One folder has one Azurite: a second one would take the journals of the first
for left behind, and remove them.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from localazure.locks import at_most, only_one
from localazure.ports import is_free
from localazure.private import private_folder
from localazure.storage.account import ACCOUNT, KEY, Ports, connection_string
from localazure.storage.installation import provide
from localazure.storage.program import Program

LAUNCHER = Path(__file__).with_name("azurite.js")
LOG_BYTES = 8 * 1024 * 1024
LOG_FILES = 4
JOURNAL_BYTES = 4 * 1024 * 1024
"""A smaller journal of a database is not worth the time to write all of the database."""
START_SECONDS = 60.0
STOP_SECONDS = 20.0
TURN_SECONDS = STOP_SECONDS
"""How long a start waits for an Azurite that still has the folder: its supervisor may just have been killed."""


class StartFailed(Exception):
    """Azurite could not begin, or ended before it served; the message holds why, or what it said."""


class Azurite:
    """A running Azurite, as a context manager."""

    def __init__(
        self, *, state: Path, ports: Ports, in_memory: bool = False, accounts: Sequence[str] = (ACCOUNT,)
    ) -> None:
        """accounts: their names; all have the one public key"""
        self.ports = ports
        self._accounts = ";".join(f"{name}:{KEY}" for name in accounts)
        self.folder = state / "storage"
        self.access_log = self.folder / "access.log"
        self._errors = self.folder / "azurite.err"
        self._in_memory = in_memory
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = ExitStack()

    @property
    def connection_string(self) -> str:
        return connection_string(self.ports)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, program: Program | None = None) -> None:
        """Start Azurite, installed first if need be, and return when all three services answer. raises: StartFailed"""
        private_folder(self.folder)
        program = program or provide()
        with ExitStack() as failed:
            failed.callback(self.stop)
            inherited = self._alone()
            self._refuse_taken_ports()
            self._process = self._begun(program, inherited)
            self._await_answers(self._process)
            failed.pop_all()

    def _alone(self) -> tuple[int, ...]:
        """From now until `stop` the folder is this one's; what node inherits, so that it counts as long as it lives."""
        if self._in_memory:
            return ()
        problem = StartFailed(f"another Azurite has {self.folder}: end that one, or choose another --state")
        lock = only_one(self.folder / "lock", check=at_most(TURN_SECONDS, problem))
        held = self._lock.enter_context(lock)
        return () if sys.platform == "win32" else (held,)

    def _refuse_taken_ports(self) -> None:
        """Whoever has one answers as Azurite would, or nearly: it must not be taken for it."""
        for name, port in vars(self.ports).items():
            if not is_free(port):
                raise StartFailed(
                    f"port {port} of 127.0.0.1 ({name}) cannot be taken: another program has it"
                )

    def _begun(self, program: Program, inherited: tuple[int, ...]) -> subprocess.Popen[bytes]:
        with self._errors.open("wb") as errors:
            return subprocess.Popen(
                self._command(program),
                env={
                    "NODE_COMPILE_CACHE": str(program.compiled),
                    **os.environ,
                    "AZURITE_ACCOUNTS": self._accounts,
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=inherited,
                start_new_session=True,  # Ctrl-C reaches the supervisor, which then stops it
            )

    def _await_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._serves():
            if process.poll() is not None or time.monotonic() > deadline:
                raise StartFailed(f"Azurite did not start on {self.ports} in {self.folder}.\n{self.said()}")
            time.sleep(0.05)

    def ended(self) -> bool:
        """True when Azurite has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def said(self) -> str:
        """The end of what it said of errors since its last start."""
        return self._errors.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        """Ask Azurite to save and end (by letting go of its stdin); insist after a while."""
        process, self._process = self._process, None
        if process is not None:
            _end(process)
        self._lock.close()

    def _command(self, program: Program) -> list[str]:
        services = {"blob": self.ports.blob, "queue": self.ports.queue, "table": self.ports.table}
        command = [
            str(program.node), str(LAUNCHER), str(program.main), str(self.access_log), str(LOG_BYTES),
            str(LOG_FILES), str(JOURNAL_BYTES), "--", "--silent", "--disableTelemetry",
            "--skipApiVersionCheck",  # the SDKs speak a newer API version than any Azurite release names
        ]  # fmt: skip
        for name, port in services.items():
            command += [f"--{name}Host", "127.0.0.1", f"--{name}Port", str(port)]
        return command + (["--inMemoryPersistence"] if self._in_memory else ["--location", str(self.folder)])

    def _serves(self) -> bool:
        return all(_answers(port) for port in (self.ports.blob, self.ports.queue, self.ports.table))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True
