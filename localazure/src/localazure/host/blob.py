"""One blob: read and written whole, or held by a lease."""

from __future__ import annotations

import logging
from urllib.parse import quote

from localazure.host.errors import StorageUnavailable
from localazure.host.storage import TRIES, AlreadyThere, NotThere, Storage, StorageFault, ask
from localazure.storage.client import Answer, Service

log = logging.getLogger("localazure.host.blob")


class Blob:
    """A blob by its container and name, which need not exist."""

    def __init__(self, storage: Storage, service: Service, container: str, name: str) -> None:
        self._storage, self._service = storage, service
        self._container = container
        self._path = f"/{container}/{quote(name)}"

    @property
    def url(self) -> str:
        return self._service.endpoint + self._path

    async def create_container(self) -> None:
        """Make the container when it is missing; raises StorageUnavailable."""
        path, query = f"/{self._container}", {"restype": "container"}
        try:
            await self._storage.run(lambda: ask(self._service, "PUT", path, query=query, tries=1))
        except AlreadyThere:
            log.debug("The container %s exists.", self._container)
        except StorageFault as cause:
            raise StorageUnavailable(
                f"The storage at {self._service.endpoint} does not take the container {self._container}"
                f" ({cause}): is it running?"
            ) from cause

    async def read(self) -> bytes | None:
        """The content; None when there is no such blob. raises: StorageUnavailable"""
        try:
            return (await self._ask("GET")).body
        except NotThere:
            return None
        except StorageFault as cause:
            raise StorageUnavailable(f"{self.url} cannot be read ({cause}).") from cause

    async def fetch(self) -> Answer | None:
        """The content with its properties in the headers; None when there is no such blob. raises: StorageFault"""
        try:
            return await self._ask("GET")
        except NotThere:
            return None

    async def write(
        self, content: bytes, *, make_container: bool = False, only_if_missing: bool = False, **metadata: str
    ) -> None:
        """Make or replace the blob; raises StorageFault, and AlreadyThere when it must be missing and is not."""
        headers = {"x-ms-blob-type": "BlockBlob", "content-type": "application/octet-stream"}
        headers |= {f"x-ms-meta-{name}": value for name, value in metadata.items()}
        headers |= {"if-none-match": "*"} if only_if_missing else {}
        try:
            await self._ask("PUT", headers=headers, body=content)
        except NotThere:
            if not make_container:
                raise
            await self.create_container()
            await self._ask("PUT", headers=headers, body=content)

    # --- leases ---------------------------------------------------------------------------------------------

    async def make(self) -> None:
        """Make the blob, empty, when it is missing; raises StorageUnavailable."""
        kind = {"x-ms-blob-type": "BlockBlob", "if-none-match": "*"}
        try:
            await self._ask("PUT", headers=kind)
        except AlreadyThere:
            log.debug("%s exists.", self.url)
        except StorageFault as cause:
            raise StorageUnavailable(f"{self.url} cannot be written ({cause}).") from cause

    async def lease(self, seconds: int) -> str:
        """The id of a lease on the blob; raises AlreadyThere when it is somebody else's."""
        return (await self._lease("acquire", duration=str(seconds))).headers["x-ms-lease-id"]

    async def renew(self, lease: str) -> None:
        """raises AlreadyThere when it is no longer ours"""
        await self._lease("renew", id=lease)

    async def release(self, lease: str) -> None:
        await self._lease("release", id=lease)

    async def break_lease(self) -> None:
        """End whatever lease there is, at once."""
        headers = {"x-ms-lease-action": "break", "x-ms-lease-break-period": "0"}
        await self._ask("PUT", query={"comp": "lease"}, headers=headers, tries=1)

    async def note(self, lease: str, **metadata: str) -> None:
        """Write metadata on the blob that the lease is on."""
        noted = {f"x-ms-meta-{name}": value for name, value in metadata.items()}
        await self._ask("PUT", query={"comp": "metadata"}, headers={"x-ms-lease-id": lease, **noted}, tries=1)

    async def noted(self, name: str) -> str:
        """One piece of the blob's metadata; empty when there is none."""
        return (await self._ask("HEAD", tries=1)).headers.get(f"x-ms-meta-{name}", "")

    async def _lease(self, action: str, **more: str) -> Answer:
        """Not tried again here: who holds a lease, or wants one, comes back in time."""
        headers = {
            "x-ms-lease-action": action,
            **{f"x-ms-lease-{name}": value for name, value in more.items()},
        }
        return await self._ask("PUT", query={"comp": "lease"}, headers=headers, tries=1)

    async def _ask(
        self,
        method: str,
        *,
        query: dict[str, str | int] | None = None,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        tries: int = TRIES,
    ) -> Answer:
        return await self._storage.run(
            lambda: ask(
                self._service, method, self._path, query=query, headers=headers, body=body, tries=tries
            )
        )
