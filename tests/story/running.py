"""A stack of the story's own: real processes, killed and started again, with real files dropped into it."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from commands import publish
from commands.client.status_api import Client
from commands.setup import bank_rows
from commands.stack import supervisor
from commands.stack.access import new_secrets
from commands.stack.errors import StackError
from commands.stack.settings import sdk_settings
from commands.stack.state import Stack
from commands.stack.upload import upload

QUICK = {
    "GATHER_QUIET_SECONDS": "2",
    "RELEASE_POLL_SECONDS": "2",
    "RELEASE_SHADOW_BEYOND": "record",
    "SCORE_SCHEDULE": "*/5 * * * * *",
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:02",
}
LOOK_SECONDS = 0.3
ENDED = ("released", "refused", "rolled-back")


@dataclass(frozen=True)
class Running:
    """The whole embedded Azure with the app, and what a person does to it."""

    stack: Stack

    # --- what a person does -----------------------------------------------------------------------------------

    def up(self, **settings: str) -> None:
        supervisor.up(self.stack, lambda part, seconds, now: None, settings=settings)

    def kill(self, part: str) -> None:
        """`kill -9`."""
        process = self.stack.process(part)
        assert process is not None, f"{part} does not run"
        os.kill(process.pid, signal.SIGKILL)
        self.until(lambda: not process.is_alive(), f"the end of {part}", seconds=60)

    def drop(self, container: str, name: str, lines: Sequence[bytes]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "dropped.csv"
            file.write_bytes(b"\n".join(lines) + b"\n")
            upload(self.stack, container, name, file)

    def send(self, queue: str, text: str, *, encoded: bool = True) -> None:
        """A message nobody of ours wrote."""
        body = base64.b64encode(text.encode()).decode() if encoded else text
        QueueClient.from_connection_string(self.stack.connection_string, queue).send_message(body)

    # --- what a person sees -----------------------------------------------------------------------------------

    def azure_ml(self, path: str) -> list[dict[str, Any]]:
        """A list in the workspace, as the workspace itself tells it."""
        settings = sdk_settings(self.stack)
        token = requests.get(
            settings["IDENTITY_ENDPOINT"],
            params={"api-version": "2019-08-01", "resource": "https://management.azure.com"},
            headers={"X-IDENTITY-HEADER": settings["IDENTITY_HEADER"]},
            timeout=60,
        ).json()["access_token"]
        answer = requests.get(
            f"{self.stack.workspace_url}{self.stack.workspace_id}/{path}",
            headers={"Authorization": f"Bearer {token}"},
            verify=settings["REQUESTS_CA_BUNDLE"],
            timeout=60,
        )
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["value"]
        return found

    def runs_in_azure_ml(self, name: str) -> list[str]:
        """The states of the runs that we gave this name."""
        return [job["properties"]["status"] for job in self.azure_ml(f"jobs?tag=campanha.run={name}")]

    def blobs(self, container: str) -> list[str]:
        client = BlobServiceClient.from_connection_string(self.stack.connection_string)
        return list(client.get_container_client(container).list_blob_names())

    def get(self, path: str) -> dict[str, Any]:
        """Empty when the app does not know it."""
        return Client.of(self.stack).known(path)

    def all(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(kind)["value"]
        return found

    def model_of(self, name: str, *, seconds: float = 300) -> dict[str, Any]:
        """The lineage of a training file whose model has come to its end."""
        lineage: dict[str, Any] = {}

        def settled() -> bool:
            lineage.update(self.get(f"lineage/incoming/{name}"))
            return lineage.get("model", {}).get("state") in ENDED

        self.until(settled, f"a model of {name}", seconds=seconds, at=lambda: lineage)
        return lineage

    def batch_of(self, name: str, *, seconds: float = 300) -> dict[str, Any]:
        """The record of a batch that has come to its end."""
        batch: dict[str, Any] = {}

        def ended() -> bool:
            batch.update(self.get(f"lineage/scoring/{name}").get("batch", {}))
            return batch.get("state") in ("scored", "duplicate", "refused")

        self.until(ended, f"the batch of {name}", seconds=seconds, at=lambda: batch)
        return batch

    def says(self, *command: str) -> str:
        """What `./dev COMMAND` prints, on a wide screen."""
        told = subprocess.run(
            [sys.executable, "-m", "commands", *command, "--state", str(self.stack.state)],
            cwd=self.stack.root, env={**os.environ, "COLUMNS": "300"}, capture_output=True, text=True,
            timeout=60, check=True,
        )  # fmt: skip
        return told.stdout

    def blob(self, path: str) -> bytes:
        container, _, name = path.partition("/")
        client = BlobServiceClient.from_connection_string(self.stack.connection_string)
        data: bytes = client.get_blob_client(container, name).download_blob().readall()
        return data

    def held(self, queue: str) -> int:
        """Messages in a queue, the hidden ones too."""
        client = QueueClient.from_connection_string(self.stack.connection_string, queue)
        return int(client.get_queue_properties().approximate_message_count or 0)

    def until(
        self, holds: Callable[[], Any], what: str, *, seconds: float = 60, at: Callable[[], Any] = dict
    ) -> Any:
        """The first true answer; a failure says where it stopped."""
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < deadline, f"{what} did not come within {seconds:g} s; it is at {at()}"
            time.sleep(LOOK_SECONDS)
        return found


@contextmanager
def running(state: Path, *, roles: bool = False, **settings: str) -> Iterator[Running]:
    """Up, with the real training pipeline published; down and gone afterwards, whatever happened.

    roles: whether identities sign in, and the role assignments of infra/ count
    """
    stack = Stack(state)
    try:
        if roles:
            stack.use_roles(new_secrets())
        made = Running(stack)
        made.up(**{**QUICK, **settings})
        if publish.main(["--state", str(state)]):
            raise StackError("the training pipeline could not be published")
        yield made
    finally:
        supervisor.down(stack)


def bank() -> tuple[bytes, list[bytes]]:
    """Header and rows of the real data."""
    file, _ = bank_rows.find(None)
    header, *rows = file.read_bytes().splitlines()
    return header, [row for row in rows if row]


def without_answer(lines: Sequence[bytes]) -> list[bytes]:
    """Clients of whom nobody knows yet what they will answer: the last column is cut off."""
    delimiter = b";" if b";" in lines[0] else b","
    return [line.rsplit(delimiter, 1)[0] for line in lines]
