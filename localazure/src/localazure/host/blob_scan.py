"""Blob triggers, the half that finds blobs by looking: every two seconds, all that is in the container.

A receipt in the host's storage says which versions were noticed, so that a restart notices none again. A receipt
stands for noticed, not for worked off.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from xml.etree import ElementTree

from localazure.host.blob import Blob
from localazure.host.blob_trigger import Notice, Watch, function_id
from localazure.host.errors import StorageUnavailable
from localazure.host.listener import Listener
from localazure.host.queue import Queue
from localazure.host.singleton import Singleton
from localazure.host.storage import AlreadyThere, NotThere, Storage, StorageFault, ask
from localazure.storage.client import Service

log = logging.getLogger("localazure.host.blob_scan")
LOOK_SECONDS = 2.0
Version = tuple[str, str]
"""A blob's name and its ETag, in quotes."""


class Container:
    """Lists the blobs of one container."""

    def __init__(self, storage: Storage, service: Service, name: str) -> None:
        self._storage, self._service, self._name = storage, service, name

    async def versions(self) -> AsyncIterator[Version]:
        """All blobs as they are now, page by page; none when there is no container. raises: StorageFault"""
        marker = ""
        while True:
            page = await self._storage.run(self._page, marker)
            if page is None:
                return
            for blob in page.iter("Blob"):
                yield blob.findtext("Name", ""), _quoted(blob.findtext("Properties/Etag", ""))
            marker = page.findtext("NextMarker") or ""
            if not marker:
                return

    def _page(self, marker: str) -> ElementTree.Element | None:
        query = {"restype": "container", "comp": "list", **({"marker": marker} if marker else {})}
        try:
            answer = ask(self._service, "GET", f"/{self._name}", query=query, tries=1)
        except NotThere:
            return None
        return ElementTree.fromstring(answer.body)  # noqa: S314  (storage itself says it)


def _quoted(etag: str) -> str:
    return etag if etag.startswith('"') else f'"{etag}"'


class BlobScanner(Listener):
    """Looks for one function's blobs and puts a notice of each new version into the queue."""

    def __init__(
        self,
        *,
        watch: Watch,
        container: Container,
        queue: Queue,
        receipt: Callable[[str], Blob],
        lock: Singleton,
    ) -> None:
        """`receipt` is the blob that stands for a version, by `"etag"/container/name`."""
        super().__init__()
        self._watch, self._container, self._queue = watch, container, queue
        self._receipt, self._lock = receipt, lock
        self._noticed: set[Version] = set()
        self._unreachable = ""

    async def prepare(self) -> None:
        await self._queue.create()
        await self._lock.prepare()

    async def run(self) -> None:
        while not self.stopping:
            if not self._lock.is_held:
                await self._lock.acquire(self.bell, lambda: self.stopping)
                continue
            try:
                await self._look()
                self._unreachable = ""
            except (StorageFault, StorageUnavailable) as problem:
                self._tell(str(problem))
            await self.bell.wait(LOOK_SECONDS)
        await self._lock.release()

    async def _look(self) -> None:
        async for version in self._container.versions():
            if self.stopping:
                return
            if version not in self._noticed and self._watch.find(version[0]) is not None:
                await self._notice(version)
                self._noticed.add(version)

    async def _notice(self, version: Version) -> None:
        """The receipt is incomplete until the notice lies in the queue: a crash between the two notices again."""
        name, etag = version
        receipt = self._receipt(f"{etag}/{self._watch.container}/{name}")
        try:
            await receipt.write(b"", only_if_missing=True, incomplete="Incomplete")
        except AlreadyThere:
            if not await receipt.noted("incomplete"):
                return
        notice = Notice(
            function_id=function_id(self._watch.function.name), container=self._watch.container,
            name=name, etag=etag,
        )  # fmt: skip
        await self._queue.send(notice.text())
        await receipt.write(b"")

    def _tell(self, problem: str) -> None:
        if problem != self._unreachable:
            self._unreachable = problem
            log.warning("The container %s cannot be looked at (%s).", self._watch.container, problem)


def receipt_name(host_id: str, function: str, version: str) -> str:
    """Where a receipt lies in azure-webjobs-hosts."""
    return f"blobreceipts/{host_id}/{function_id(function)}/{version}"
