"""One storage queue; messages pass as they lie there, encoded or not."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from localazure.host.errors import StorageUnavailable
from localazure.host.listener import Bell
from localazure.host.message import Message
from localazure.host.settings import Connection
from localazure.host.storage import AlreadyThere, NotThere, Storage, StorageFault, ask, check_queue_name
from localazure.storage.client import Service

log = logging.getLogger("localazure.host.queue")
POISON = "-poison"
LONGEST_NAME = 63


class Queues:
    """The same object for the same queue, so that who sends can wake who listens."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._known: dict[tuple[Connection, str], Queue] = {}

    def get(self, connection: Connection, name: str, *, where: str) -> Queue:
        check_queue_name(name, where=where)
        if (connection, name) not in self._known:
            service = self._storage.service("Queue", connection, where=where)
            self._known[connection, name] = Queue(self, self._storage, service, connection, name)
        return self._known[connection, name]


class Queue:
    """Made by Queues."""

    def __init__(
        self, queues: Queues, storage: Storage, service: Service, connection: Connection, name: str
    ) -> None:
        self.name = name
        self._queues, self._storage, self._service, self._connection = queues, storage, service, connection
        self.listeners: list[Bell] = []
        """Rung when this process puts a message here: its listeners need not wait for the next look."""

    async def create(self) -> None:
        """Make the queue when it is missing; raises StorageUnavailable."""
        try:
            await self._storage.run(lambda: ask(self._service, "PUT", f"/{self.name}", tries=1))
        except AlreadyThere:
            log.debug("The queue %s exists.", self.name)
        except StorageFault as cause:
            raise StorageUnavailable(
                f"The storage at {self._service.endpoint}/{self.name} does not take queue {self.name}"
                f" ({cause}): is it running?"
            ) from cause

    async def exists(self) -> bool:
        """A failure is not tried again here; raises StorageFault."""
        query = {"comp": "metadata"}
        try:
            await self._storage.run(lambda: ask(self._service, "GET", f"/{self.name}", query=query, tries=1))
        except NotThere:
            return False
        return True

    async def receive(self, count: int, lease: float) -> list[Message]:
        """Up to `count` messages, nobody else's for `lease` seconds; a failure is not tried again here."""
        return await self._storage.run(self._receive, count, int(lease))

    def _receive(self, count: int, lease: int) -> list[Message]:
        query = {"numofmessages": count, "visibilitytimeout": lease}
        answer = ask(self._service, "GET", f"/{self.name}/messages", query=query, tries=1)
        return [_message(one) for one in ElementTree.fromstring(answer.body)]  # noqa: S314  (storage itself says it)

    async def hide(self, message_id: str, receipt: str, seconds: float) -> str:
        """Leave the message under lease for `seconds` from now (0: visible at once); its new receipt."""
        return await self._storage.run(self._hide, message_id, receipt, int(seconds))

    def _hide(self, message_id: str, receipt: str, seconds: int) -> str:
        query: dict[str, str | int] = {"popreceipt": receipt, "visibilitytimeout": seconds}
        answer = ask(self._service, "PUT", f"/{self.name}/messages/{message_id}", query=query)
        return answer.headers["x-ms-popreceipt"]

    async def delete(self, message_id: str, receipt: str) -> None:
        path, query = f"/{self.name}/messages/{message_id}", {"popreceipt": receipt}
        await self._storage.run(lambda: ask(self._service, "DELETE", path, query=query))

    async def send(self, text: str) -> None:
        """Put a message, making the queue when it is missing."""
        try:
            await self._storage.run(self._send, text)
        except NotThere:
            await self.create()
            await self._storage.run(self._send, text)
        for bell in self.listeners:
            bell.ring()

    def _send(self, text: str) -> None:
        body = f"<QueueMessage><MessageText>{escape(text)}</MessageText></QueueMessage>".encode()
        kind = {"content-type": "application/xml"}
        ask(self._service, "POST", f"/{self.name}/messages", headers=kind, body=body)

    def poison(self) -> Queue | None:
        """Where messages that fail too often go; a poison queue has none itself."""
        name = self.name + POISON
        if self.name.endswith(POISON) or len(name) > LONGEST_NAME:
            return None
        return self._queues.get(self._connection, name, where=self.name)


def _message(told: ElementTree.Element) -> Message:
    return Message(
        id=told.findtext("MessageId", ""),
        receipt=told.findtext("PopReceipt", ""),
        text=told.findtext("MessageText") or "",
        dequeue_count=int(told.findtext("DequeueCount", "0")),
        inserted=_moment(told, "InsertionTime"),
        expires=_moment(told, "ExpirationTime"),
        next_visible=_moment(told, "TimeNextVisible"),
    )


def _moment(told: ElementTree.Element, name: str) -> datetime | None:
    text = told.findtext(name)
    return parsedate_to_datetime(text).astimezone(UTC) if text else None
