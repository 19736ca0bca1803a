"""Blob triggers, the half that calls the function: from a queue of notices, whoever put them there.

notice ── blob gone, or (when found by a scan) another version by now ──> dropped
   │
   └── the function is called with the whole blob ── failed poisonBlobThreshold times ──> webjobs-blobtrigger-poison

Source: the WebJobs SDK's BlobQueueTriggerExecutor and SharedBlobQueueListenerFactory.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from localazure.host import binding
from localazure.host.blob import Blob
from localazure.host.function import Function
from localazure.host.invoke import FunctionFailed
from localazure.host.message import Message, encode
from localazure.host.queue import Queue
from localazure.host.runner import Runner
from localazure.host.storage import StorageFault

log = logging.getLogger("localazure.host.blob_trigger")
POISON_QUEUE = "webjobs-blobtrigger-poison"


def notices_queue(host_id: str) -> str:
    """The queue, in the host's own storage, that all its blob triggers share."""
    return f"azure-webjobs-blobtrigger-{host_id}"


def function_id(name: str) -> str:
    """How notices and webhooks name a function."""
    return f"Host.Functions.{name}"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A version of a blob that a function should see; as a message, and as a poison message, it is JSON."""

    function_id: str
    container: str
    name: str
    etag: str

    def text(self) -> str:
        told = {
            "Type": "BlobTrigger", "FunctionId": self.function_id, "BlobType": "BlockBlob",
            "ContainerName": self.container, "BlobName": self.name, "ETag": self.etag,
        }  # fmt: skip
        return encode(json.dumps(told).encode(), base64_encoded=True)

    @classmethod
    def parse(cls, body: bytes) -> Notice | None:
        """None for what is no notice."""
        try:
            told = json.loads(body)
            return cls(
                function_id=str(told["FunctionId"]), container=str(told["ContainerName"]),
                name=str(told["BlobName"]), etag=str(told["ETag"]),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A blob-triggered function: where its blobs are, and how their names are read."""

    function: Function
    container: str
    find: Callable[[str], dict[str, str] | None]
    by_events: bool
    """True for `source=EventGrid`: notices come from the webhook, and say nothing of versions."""
    blob: Callable[[str, str], Blob]
    """The blob by container and name, in the account the trigger's connection names."""
    poison: Queue


class BlobCalls:
    """Works off notices."""

    def __init__(self, watches: Mapping[str, Watch], runner: Runner) -> None:
        """`watches` by function id"""
        self._watches, self._runner = watches, runner

    def poison(self, body: bytes | None) -> Queue | None:
        """Where a notice with that body ends that fails too often: in the account of its blob."""
        watch = self._watch(body)
        return watch[0].poison if watch else next(iter(self._watches.values())).poison

    async def call(self, message: Message, body: bytes) -> None:
        """raises: FunctionFailed"""
        found = self._watch(body)
        if found is None:
            log.warning("A notice for a function that is not here was dropped.")
            return
        watch, notice = found
        blob = watch.blob(notice.container, notice.name)
        try:
            answer = await blob.fetch()
        except StorageFault as problem:
            log.error("%s cannot be read: %s", blob.url, problem)
            raise FunctionFailed("the blob was not read") from problem
        if answer is None or (not watch.by_events and answer.headers.get("etag") != notice.etag):
            log.info("%s is gone, or another by now: %s is not called.", notice.name, watch.function.name)
            return
        path = f"{notice.container}/{notice.name}"
        captures = watch.find(notice.name) or {}
        data = {**captures, "BlobTrigger": path, "Uri": blob.url}
        value = binding.blob_trigger(path, blob.url, answer, captures)
        await self._runner.run(watch.function, value, data=data)

    def _watch(self, body: bytes | None) -> tuple[Watch, Notice] | None:
        notice = Notice.parse(body) if body else None
        watch = self._watches.get(notice.function_id) if notice else None
        return (watch, notice) if watch and notice else None


def from_event(function: str, data: Mapping[str, object]) -> Notice | None:
    """The notice that a BlobCreated event's data stands for; None when it names no blob.

    The first part of the path is the account where the host is an address, as storage emulators have it.
    """
    url = urlsplit(str(data.get("url", "")))
    parts = unquote(url.path).strip("/").split("/")
    if (url.hostname or "").replace(".", "").isdigit() or url.hostname == "localhost":
        parts = parts[1:]
    if len(parts) < 2:
        return None
    etag = str(data.get("eTag", ""))
    return Notice(function_id=function, container=parts[0], name="/".join(parts[1:]), etag=etag)
