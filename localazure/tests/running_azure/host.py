"""The host in a process of its own, on the app of `tests/host/app`, and ways to see what it does."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from running_azure.waiting import until

APP = Path(__file__).parents[1] / "host" / "app"
NEVER = "0 0 0 1 1 *"
HEAD = """
import json
import os
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def note(what, **more):
    with Path(os.environ["NOTES"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"what": what, **more}) + "\\n")


def wait_for_gate():
    deadline = time.monotonic() + 30
    while not Path(os.environ["GATE"]).exists() and time.monotonic() < deadline:
        time.sleep(0.01)

"""
"""How the apps begin that tests write for themselves."""


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


class Hosted:
    """`localazure host`, with a folder that outlives it."""

    def __init__(self, *, folder: Path, port: int, storage: str, prefix: str, app: Path = APP) -> None:
        self.folder, self.port, self.prefix, self.app = folder, port, prefix, app
        self.log = folder / "log"
        self.storage = storage
        self._notes, self._gate = folder / "notes", folder / "gate"
        self._process: subprocess.Popen[str] | None = None

    def start(self, *extra: str, **settings: str) -> None:
        values = {
            "AzureWebJobsStorage": self.storage, "DATA": self.storage, "PREFIX": self.prefix, "TICK": NEVER,
            "NOTES": str(self._notes), "GATE": str(self._gate),
            "AzureFunctionsWebHost__hostid": self.prefix, **settings,
        }  # fmt: skip
        file = self.folder / "settings.json"
        file.write_text(json.dumps({"IsEncrypted": False, "Values": values}))
        command = [
            sys.executable,
            "-m",
            "localazure",
            "host",
            "--app",
            str(self.app),
            "--port",
            str(self.port),
        ]
        command += ["--settings", str(file), "--state", str(self.folder), *extra]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said == f"ready: host http://127.0.0.1:{self.port}\n", self.log.read_text()

    # --- what it did ----------------------------------------------------------------------------------------

    def notes(self, what: str) -> list[dict[str, Any]]:
        if not self._notes.exists():
            return []
        lines = self._notes.read_text().splitlines()
        return [told for line in lines if (told := json.loads(line))["what"] == what]

    def await_notes(self, what: str, count: int = 1, *, seconds: float = 40) -> list[dict[str, Any]]:
        until(lambda: len(self.notes(what)) >= count, f"{count} x {what!r}", seconds=seconds)
        return self.notes(what)

    def open_gate(self) -> None:
        self._gate.touch()

    # --- HTTP -----------------------------------------------------------------------------------------------

    @property
    def function_key(self) -> str:
        return (self.folder / "host" / "function-key").read_text()

    @property
    def master_key(self) -> str:
        kept: str = json.loads((self.folder / "host" / "keys.json").read_text())["masterKey"]
        return kept

    def ask(
        self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            reply = connection.getresponse()
            return Answer(reply.status, reply.read(), reply.getheaders())
        finally:
            connection.close()

    # --- ending ---------------------------------------------------------------------------------------------

    def terminate(self) -> None:
        assert self._process is not None
        self._process.terminate()

    def kill(self) -> None:
        """`kill -9`."""
        assert self._process is not None
        self._process.kill()
        self.ended()

    def ended(self, *, seconds: float = 20) -> int:
        """The exit code, once there is one."""
        process, self._process = self._process, None
        assert process is not None
        code = process.wait(seconds)
        assert process.stdout is not None
        process.stdout.close()
        return code

    def stop(self) -> None:
        if self._process is not None:
            self.open_gate()
            self.terminate()
            self.ended()


class Pipe:
    """A queue, written and read from outside."""

    def __init__(self, storage: str, name: str) -> None:
        self._queue = QueueClient.from_connection_string(storage, name)

    def create(self) -> None:
        """Before the host does."""
        self._queue.create_queue()

    def send(self, body: bytes) -> None:
        self.send_raw(base64.b64encode(body).decode())

    def send_raw(self, text: str) -> None:
        """The host makes no queue; a test's is made when it is first sent to."""
        try:
            self._queue.send_message(text)
        except ResourceNotFoundError:
            self._queue.create_queue()
            self._queue.send_message(text)

    def await_raw(self, *, seconds: float = 40) -> str:
        """The text of the next message."""
        found: list[str] = []

        def look() -> bool:
            found.extend(one.content for one in self._queue.receive_messages(max_messages=1))
            return bool(found)

        until(look, "a message", seconds=seconds)
        return found[0]

    def count(self) -> int:
        return int(self._queue.get_queue_properties().approximate_message_count or 0)
