"""`localazure storage --access` in a process of its own: what the SDKs meet when an account has no keys."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from localazure.storage.account import Ports, connection_string
from running_azure.access import Credential
from running_azure.waiting import until

NAMES = ("blob", "queue", "table")


@dataclass(frozen=True)
class Front:
    """The account, running."""

    ports: dict[str, int]
    behind: Ports
    state: Path
    file: Path

    @property
    def bundle(self) -> Path:
        return self.state / "tls" / "bundle.pem"

    @property
    def connection_string(self) -> str:
        """Of the Azurite behind it, for the other parts of the embedded Azure."""
        return connection_string(self.behind)

    @property
    def access_log(self) -> Path:
        return self.state / "storage" / "access.log"

    @contextmanager
    def without(self, identity: str, role: str | None = None) -> Iterator[None]:
        """One role, or all, of an identity are taken away meanwhile."""
        before = self.file.read_text(encoding="utf-8")
        given = json.loads(before)
        given["assignments"] = [
            one
            for one in given["assignments"]
            if one["identity"] != identity or (role is not None and one["role"] != role)
        ]
        _replace(self.file, json.dumps(given))
        try:
            yield
        finally:
            _replace(self.file, before)

    def blobs(self, who: Any) -> Any:
        return self._client(BlobServiceClient, "blob", who)

    def queues(self, who: Any) -> Any:
        return self._client(QueueServiceClient, "queue", who)

    def tables(self, who: Any) -> Any:
        return self._client(TableServiceClient, "table", who)

    def _client(self, kind: Any, service: str, who: Any) -> Any:
        """who: an identity's name, or any credential"""
        url = f"https://127.0.0.1:{self.ports[service]}/devstoreaccount1"
        more = {"endpoint": url} if kind is TableServiceClient else {"account_url": url}
        credential = Credential(who) if isinstance(who, str) else who
        return kind(**more, credential=credential, connection_verify=str(self.bundle), retry_total=0)


def addresses(ports: dict[str, int]) -> dict[str, str]:
    """As the access file names them."""
    return {name: f"https://127.0.0.1:{ports[name]}/devstoreaccount1" for name in NAMES}


@contextmanager
def running(
    state: Path, free_port: Callable[[], int], write: Callable[[Path, dict[str, str]], object]
) -> Iterator[Front]:
    """write: makes the access file, and is told the addresses"""
    file = state / "access.json"
    ports = {name: free_port() for name in NAMES}
    behind = Ports(**{name: free_port() for name in NAMES})
    write(file, addresses(ports))
    options = [f"--{name}-port={ports[name]}" for name in NAMES]
    options += [f"--azurite-{name}-port={getattr(behind, name)}" for name in NAMES]
    log = state / "storage.out"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "localazure", "storage", "--state", str(state), "--access", str(file),
             "--in-memory", *options],
            env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdout=written, stderr=written,
        )  # fmt: skip
    try:
        until(lambda: b"ready: " in log.read_bytes(), "the storage", seconds=120)
        yield Front(ports=ports, behind=behind, state=state, file=file)
    finally:
        process.terminate()
        process.wait(30)


def _replace(file: Path, text: str) -> None:
    """Whole, as the parts read it while they serve."""
    beside = file.with_suffix(".beside")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)
