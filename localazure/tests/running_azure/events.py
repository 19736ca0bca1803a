"""The event service in a process of its own, and a queue to see what it delivers."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azure.storage.queue import QueueClient

from localazure.storage.supervisor import Azurite
from running_azure.front import Front

KEY = base64.b64encode(b"the key of every topic, 32 bytes").decode()


class Pump:
    """`localazure events` in a process of its own, with a state folder that outlives it."""

    def __init__(
        self,
        *,
        state: Path,
        port: int,
        azurite: Azurite | Front,
        subscriptions: list[dict[str, Any]],
        scale: float = 0.01,
        scheme: str = "http",
    ) -> None:
        """`scale` is what Event Grid's waits are multiplied by; `scheme` is https where roles count."""
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.port = port
        self._state, self._azurite = state, azurite
        self._file = state / "subscriptions.json"
        self._file.write_text(json.dumps(subscriptions))
        self._scale = scale
        self.log = state / "log"
        self._process: subprocess.Popen[str] | None = None

    def start(self, *extra: str) -> None:
        command = [sys.executable, "-m", "localazure", "events", "--state", str(self._state)]
        command += ["--port", str(self.port), "--storage", self._azurite.connection_string, "--key", KEY]
        command += ["--subscriptions", str(self._file), "--access-log", str(self._azurite.access_log)]
        command += ["--retry-scale", str(self._scale)]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [*command, *extra], stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == f"ready: events {self.url}\n"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """`kill -9`."""
        self._end("kill")

    def stop(self) -> int:
        return self._end("terminate")

    def _end(self, how: str) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        getattr(process, how)()
        code = process.wait(20)
        assert process.stdout is not None
        process.stdout.close()
        return code


class Inbox:
    """A queue, read the way a queue trigger reads it."""

    def __init__(self, connection_string: str, name: str) -> None:
        self.name = name
        self._queue = QueueClient.from_connection_string(connection_string, name)

    def create(self) -> None:
        self._queue.create_queue()

    def take(self, count: int, *, seconds: float = 40) -> list[dict[str, Any]]:
        """The next `count` events, in the order of the queue; fails when they do not come in time."""
        events = self.take_until(lambda came: len(came) >= count, seconds=seconds)
        assert len(events) == count, f"{len(events)} events came, not {count}"
        return events

    def take_until(
        self, enough: Callable[[list[dict[str, Any]]], bool], *, seconds: float = 40
    ) -> list[dict[str, Any]]:
        """Take events until there are enough, or time is up."""
        events: list[dict[str, Any]] = []
        deadline = time.monotonic() + seconds
        while not enough(events) and time.monotonic() < deadline:
            events += self._now()
            time.sleep(0.005)
        return events

    def _now(self) -> list[dict[str, Any]]:
        taken = []
        for message in self._queue.receive_messages(max_messages=32):
            taken.append(json.loads(base64.b64decode(message.content)))
            self._queue.delete_message(message)
        return taken
