"""Runs `bench.bare_function` on an embedded host of its own, in an environment with pandas, over a stack's storage."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from azure.data.tables import TableClient, TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

import localazure
from commands import ROOT
from commands.setup import venv
from commands.stack import ports, processes
from commands.stack.errors import StackError
from commands.stack.state import Stack

LOCK = ROOT / "bench" / "environments" / "bare.txt"
HOME = ROOT / ".environments" / "bench-bare"
TABLE = "barerows"
START_SECONDS = 60.0


def install() -> None:
    """What it runs in, made at the first use (half a minute)."""
    if not venv.is_ready(HOME, LOCK):
        venv.install(HOME, LOCK, label="pandas, for the comparison, into .environments")


class BareApp:
    """The running function: files are sent to its queue, and its log says how many are done."""

    def __init__(self, log: Path, queue: QueueClient, rows: TableClient) -> None:
        self._log, self._queue, self._rows = log, queue, rows

    def send(self, name: str) -> None:
        """Queues the message that a file is up, as it is: so host.json has messages (`messageEncoding`)."""
        self._queue.send_message(name)

    def done(self) -> int:
        """Files taken in so far, by the log alone: a request would disturb the measurement."""
        return self._log.read_text(encoding="utf-8", errors="replace").count("file_dropped succeeded")

    def last_inserted(self) -> float:
        """When the newest row was inserted, by storage's clock."""
        times = [row.metadata["timestamp"] for row in self._rows.list_entities()]
        return max(time.timestamp() for time in times if time is not None)


@contextmanager
def bare_app(stack: Stack) -> Iterator[BareApp]:
    """The function with the same rules for queues as our app; stopped at the end."""
    folder = stack.state / "bare"
    folder.mkdir()
    shutil.copy(ROOT / "bench" / "bare_function.py", folder / "function_app.py")
    shutil.copy(ROOT / "host.json", folder / "host.json")
    values = dict.fromkeys(("AzureWebJobsStorage", "BARE_STORAGE"), stack.connection_string)
    (folder / "settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    queue, rows = _storage(stack.connection_string)
    log = stack.log("bare")
    command = [str(venv.python_in(HOME)), "-m", "localazure", "host", "--app", str(folder)]
    command += ["--settings", str(folder / "settings.json"), "--port", str(ports.choose()["host"])]
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(localazure.__file__).parents[1]),
        "PYTHONUNBUFFERED": "1",
    }
    process = processes.start(command, directory=folder, log=log, env=environment)
    try:
        _await_ready(process, log)
        yield BareApp(log, queue, rows)
    finally:
        process.stop(seconds=START_SECONDS)


def _storage(connection_string: str) -> tuple[QueueClient, TableClient]:
    blobs = BlobServiceClient.from_connection_string(connection_string)
    for container in ("bare", "bare-parts"):
        blobs.create_container(container)
    queue = QueueServiceClient.from_connection_string(connection_string).create_queue("bare")
    return queue, TableServiceClient.from_connection_string(connection_string).create_table(TABLE)


def _await_ready(process: processes.Process, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "ready: " not in (said := log.read_text(encoding="utf-8", errors="replace")):
        if not process.is_alive() or time.monotonic() > deadline:
            raise StackError(f"the bare function did not start:\n{said[-2000:]}")
        time.sleep(processes.LOOK_SECONDS)
