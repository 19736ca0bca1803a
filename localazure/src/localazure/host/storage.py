"""The storage accounts behind connections, called from a loop that must not wait."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from localazure.host.errors import BadSetting
from localazure.host.managed_identity import ManagedIdentity
from localazure.host.settings import Connection
from localazure.storage.client import Answer, Service, StorageUnreachable

T = TypeVar("T")
THREADS = 4
"""Storage calls at a time; on one machine each takes a few milliseconds."""
TRIES, PAUSE = 4, 1.0
"""How often a call that must succeed is tried while storage does not answer, and the seconds between."""


class StorageFault(Exception):
    """Storage did not do what it was asked; the message says what it answered, if it did."""


class NotThere(StorageFault):
    """The queue, container, blob or message does not exist (any more)."""


class AlreadyThere(StorageFault):
    """Somebody else made it, or holds it."""


class Storage:
    """Accounts by connection; all calls share a few threads and kept-open connections."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """environ: where the managed identity's endpoint is named, for connections that sign in by it"""
        self._environ = environ
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="storage")
        self._services: dict[tuple[str, Connection], Service] = {}

    def service(self, kind: str, connection: Connection, *, where: str) -> Service:
        """`kind` is Blob or Queue; `where` names the function for the error."""
        if (kind, connection) not in self._services:
            try:
                self._services[kind, connection] = Service(
                    connection.string, kind, token=self._token(connection)
                )
            except ValueError as cause:
                raise BadSetting(
                    f"{where}: its connection is no storage connection string ({cause})."
                ) from cause
        return self._services[kind, connection]

    def _token(self, connection: Connection) -> Callable[[], str] | None:
        if connection.client is None:
            return None
        return ManagedIdentity(self._environ, connection.client).token

    async def run(self, call: Callable[..., T], *arguments: object) -> T:
        """`call` in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def ask(
    service: Service,
    method: str,
    path: str,
    *,
    query: Mapping[str, str | int] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    tries: int = TRIES,
) -> Answer:
    """A good answer; raises StorageFault. `tries` 1: a failure is not tried again here."""
    for left in reversed(range(tries)):
        try:
            return _good(service.call(method, path, query=query, headers=headers, body=body), method, path)
        except StorageUnreachable as problem:
            if not left:
                raise StorageFault(str(problem)) from problem
            time.sleep(PAUSE)
    raise AssertionError("there is at least one try")


def _good(answer: Answer, method: str, path: str) -> Answer:
    if answer.status < 300:
        return answer
    said = f"{method} {path}: {answer.status} {answer.code}"
    raise {404: NotThere, 409: AlreadyThere, 412: AlreadyThere}.get(answer.status, StorageFault)(said)


def check_queue_name(name: str, *, where: str) -> None:
    if not re.fullmatch(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*", name):
        raise BadSetting(
            f"{where}: {name!r} is no name of a queue: 3 to 63 lower-case letters, digits and single hyphens."
        )
