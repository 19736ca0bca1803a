"""A stack as a person meets it: what they do to it, and what they see of it. Nothing here asks the app's own code."""

from __future__ import annotations

import base64
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands.client.status_api import Client
from commands.stack import supervisor
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
"""Waits of seconds where Azure's are minutes."""
LOOK_SECONDS = 0.3
MODEL_ENDED = ("released", "refused", "rolled-back")
BATCH_ENDED = ("scored", "duplicate", "refused")


class NotInTime(StackError):
    """What was waited for did not come; the message says where it stopped."""


@dataclass(frozen=True)
class Site:
    """The whole embedded Azure with the app."""

    stack: Stack

    # --- what a person does -----------------------------------------------------------------------------------

    def up(self, **settings: str) -> None:
        supervisor.up(self.stack, lambda part, seconds, now: None, settings=settings)

    def kill(self, part: str) -> None:
        """`kill -9`."""
        process = self.stack.process(part)
        if process is None:
            raise StackError(f"{part} does not run")
        os.kill(process.pid, signal.SIGKILL)
        self.until(lambda: not process.is_alive(), f"the end of {part}", seconds=60)

    def drop(self, container: str, name: str, lines: Sequence[bytes]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "dropped.csv"
            file.write_bytes(b"\n".join(lines) + b"\n")
            upload(self.stack, container, name, file)

    def send(self, queue: str, text: str, *, encoded: bool = True) -> None:
        """A message nobody of ours wrote."""
        from azure.storage.queue import QueueClient

        body = base64.b64encode(text.encode()).decode() if encoded else text
        QueueClient.from_connection_string(self.stack.connection_string, queue).send_message(body)

    # --- what a person sees -----------------------------------------------------------------------------------

    def azure_ml_one(self, path: str) -> dict[str, Any]:
        """What the workspace itself tells."""
        import requests

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
        found: dict[str, Any] = answer.json()
        return found

    def azure_ml(self, path: str) -> list[dict[str, Any]]:
        """A list in the workspace, as the workspace itself tells it."""
        found: list[dict[str, Any]] = self.azure_ml_one(path)["value"]
        return found

    def runs_in_azure_ml(self, name: str) -> list[str]:
        """The states of the runs that we gave this name."""
        return [job["properties"]["status"] for job in self.azure_ml(f"jobs?tag=campanha.run={name}")]

    def blobs(self, container: str) -> list[str]:
        return list(self._account().get_container_client(container).list_blob_names())

    def blob(self, path: str) -> bytes:
        container, _, name = path.partition("/")
        data: bytes = self._account().get_blob_client(container, name).download_blob().readall()
        return data

    def delete(self, path: str) -> None:
        container, _, name = path.partition("/")
        self._account().get_blob_client(container, name).delete_blob()

    def _account(self) -> Any:
        from azure.storage.blob import BlobServiceClient

        return BlobServiceClient.from_connection_string(self.stack.connection_string)

    def get(self, path: str) -> dict[str, Any]:
        """Empty when the app does not know it."""
        return Client.of(self.stack).known(path)

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Every record of a kind."""
        return Client.of(self.stack).listed(kind, most=100_000)

    def model_of(self, name: str, *, seconds: float = 300) -> dict[str, Any]:
        """The lineage of a training file whose model has come to its end."""
        lineage: dict[str, Any] = {}

        def settled() -> bool:
            lineage.update(self.get(f"lineage/incoming/{name}"))
            return lineage.get("model", {}).get("state") in MODEL_ENDED

        self.until(settled, f"a model of {name}", seconds=seconds, at=lambda: lineage)
        return lineage

    def batch_of(self, name: str, *, seconds: float = 300) -> dict[str, Any]:
        """The record of a batch that has come to its end."""
        batch: dict[str, Any] = {}

        def ended() -> bool:
            batch.update(self.get(f"lineage/scoring/{name}").get("batch", {}))
            return batch.get("state") in BATCH_ENDED

        self.until(ended, f"the batch of {name}", seconds=seconds, at=lambda: batch)
        return batch

    def held(self, queue: str) -> int:
        """Messages in a queue, the hidden ones too."""
        from azure.storage.queue import QueueClient

        client = QueueClient.from_connection_string(self.stack.connection_string, queue)
        return int(client.get_queue_properties().approximate_message_count or 0)

    def until(
        self, holds: Callable[[], Any], what: str, *, seconds: float = 60, at: Callable[[], Any] = dict
    ) -> Any:
        """The first true answer. raises: NotInTime"""
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            if time.monotonic() > deadline:
                raise NotInTime(f"{what} did not come within {seconds:g} s; it is at {at()}")
            time.sleep(LOOK_SECONDS)
        return found
