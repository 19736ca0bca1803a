"""The storage accounts behind connections: their queues and blobs, from a loop that must not wait."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError

from localazure.host.errors import BadSetting, StorageUnavailable
from localazure.host.listener import Bell
from localazure.host.message import Message

log = logging.getLogger("localazure.host.storage")
if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueClient, QueueServiceClient

T = TypeVar("T")
POISON = "-poison"
LONGEST_NAME = 63
THREADS = 4
"""Storage calls at a time; on one machine each takes a few milliseconds."""


class Storage:
    """Accounts by connection string; all calls share a few threads and kept-open connections."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="storage")
        self._transport: Any = None
        self._queue_services: dict[str, QueueServiceClient] = {}
        self._blob_services: dict[str, BlobServiceClient] = {}
        self._queues: dict[tuple[str, str], Queue] = {}

    def queue(self, connection: str, name: str, *, where: str) -> Queue:
        """The same object for the same queue, so that who sends can wake who listens."""
        from azure.storage.queue import QueueServiceClient

        if not re.fullmatch(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*", name):
            raise BadSetting(
                f"{where}: {name!r} is no name of a queue: 3 to 63 lower-case letters, digits and single hyphens."
            )
        if (connection, name) not in self._queues:
            service = self._service(self._queue_services, QueueServiceClient, connection, where)
            self._queues[connection, name] = Queue(self, service.get_queue_client(name), connection)
        return self._queues[connection, name]

    def blob(self, connection: str, container: str, name: str, *, where: str) -> Blob:
        from azure.storage.blob import BlobServiceClient

        service = self._service(self._blob_services, BlobServiceClient, connection, where)
        return Blob(self, service, container, name)

    def _service(self, known: dict[str, Any], kind: Any, connection: str, where: str) -> Any:
        """Made, and the SDKs loaded, when first needed: a host without queues and timers stays small."""
        from azure.core.pipeline.transport import RequestsTransport
        from azure.storage.queue import LinearRetry

        if self._transport is None:
            self._transport = RequestsTransport(use_env_settings=False)  # no proxy stands before 127.0.0.1
        if connection not in known:
            patience = LinearRetry(backoff=1, retry_total=3, random_jitter_range=0)
            try:
                known[connection] = kind.from_connection_string(
                    connection, transport=self._transport, retry_policy=patience
                )
            except ValueError as cause:
                raise BadSetting(
                    f"{where}: its connection is no storage connection string ({cause})."
                ) from cause
        return known[connection]

    async def run(self, call: Callable[..., T], *arguments: Any) -> T:
        """`call` in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class Queue:
    """One queue; messages pass as they lie there, encoded or not."""

    def __init__(self, storage: Storage, client: QueueClient, connection: str) -> None:
        self._storage, self._client = storage, client
        self._connection = connection
        self.name: str = client.queue_name
        self.listeners: list[Bell] = []
        """Rung when this process puts a message here: its listeners need not wait for the next look."""

    async def create(self) -> None:
        """Make the queue when it is missing; raises StorageUnavailable."""
        await _creating(
            self._storage.run(_quick(self._client.create_queue)), f"queue {self.name}", self._client.url
        )

    async def receive(self, count: int, lease: float) -> list[Message]:
        """Up to `count` messages, nobody else's for `lease` seconds; a failure is not tried again here."""
        return await self._storage.run(self._receive, count, int(lease))

    def _receive(self, count: int, lease: int) -> list[Message]:
        pages = self._client.receive_messages(
            messages_per_page=count, max_messages=count, visibility_timeout=lease, retry_total=0
        )
        return [
            Message(
                id=one.id, receipt=one.pop_receipt, text=one.content or "", dequeue_count=one.dequeue_count,
                inserted=one.inserted_on, expires=one.expires_on, next_visible=one.next_visible_on,
            )
            for one in pages
        ]  # fmt: skip

    async def hide(self, message_id: str, receipt: str, seconds: float) -> str:
        """Leave the message under lease for `seconds` from now (0: visible at once); its new receipt."""
        call = lambda: self._client.update_message(message_id, receipt, visibility_timeout=int(seconds))  # noqa: E731
        renewed = await self._storage.run(call)
        return str(renewed.pop_receipt)

    async def delete(self, message_id: str, receipt: str) -> None:
        await self._storage.run(self._client.delete_message, message_id, receipt)

    async def send(self, text: str) -> None:
        """Put a message, making the queue when it is missing."""
        try:
            await self._storage.run(self._client.send_message, text)
        except ResourceNotFoundError:
            await self.create()
            await self._storage.run(self._client.send_message, text)
        for bell in self.listeners:
            bell.ring()

    def poison(self) -> Queue | None:
        """Where messages that fail too often go; a poison queue has none itself."""
        name = self.name + POISON
        if self.name.endswith(POISON) or len(name) > LONGEST_NAME:
            return None
        return self._storage.queue(self._connection, name, where=self.name)


class Blob:
    """One small blob."""

    def __init__(self, storage: Storage, service: BlobServiceClient, container: str, name: str) -> None:
        self._storage, self._service = storage, service
        self._client = service.get_blob_client(container, name)
        self._container = container

    async def create_container(self) -> None:
        container = self._service.get_container_client(self._container)
        await _creating(self._storage.run(_quick(container.create_container)), self._container, container.url)

    async def read(self) -> bytes | None:
        """The content; None when there is no such blob. raises: StorageUnavailable"""
        try:
            return await self._storage.run(lambda: self._client.download_blob().readall())
        except ResourceNotFoundError:
            return None
        except AzureError as cause:
            raise StorageUnavailable(
                f"{self._client.url} cannot be read ({type(cause).__name__})."
            ) from cause

    async def write(self, content: bytes) -> None:
        await self._storage.run(lambda: self._client.upload_blob(content, overwrite=True))


def _quick(create: Callable[..., Any]) -> Callable[[], Any]:
    return lambda: create(retry_total=0)


async def _creating(call: Any, what: str, url: str) -> None:
    """Being there already is as good; told by the error's kind, for emulators word it differently."""
    try:
        await call
    except ResourceExistsError:
        log.debug("%s exists.", what)
    except AzureError as cause:
        raise StorageUnavailable(
            f"The storage at {url} does not take {what} ({type(cause).__name__}): is it running?"
            f" {str(cause).splitlines()[0]}"
        ) from cause
