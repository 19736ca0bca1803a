"""Where a package is deployed to: two apps in Azure, or what stands for them on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from commands.client.status_api import Client
from commands.packaging.manifest import Manifest


class Target(Protocol):
    """What a deployment needs of the place."""

    def install(self, manifest: Manifest, package: Path) -> None:
        """Has every app run this package from now on. raises: StackError"""

    def functions(self) -> dict[str, set[str]]:
        """By app: the functions that its host has found."""

    def client(self) -> Client:
        """The HTTP API, with a credential that may read."""

    def storage(self) -> Any:
        """A BlobServiceClient of the data account."""
