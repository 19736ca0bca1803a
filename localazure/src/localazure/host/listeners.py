"""Makes what listens for each function: to its queue, to the clock, to what happens to blobs."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from localazure.host import binding, binding_data, schedule, settings
from localazure.host import retry as retries
from localazure.host.blob import Blob
from localazure.host.blob_scan import BlobScanner, Container, receipt_name
from localazure.host.blob_trigger import POISON_QUEUE, BlobCalls, Watch, function_id, notices_queue
from localazure.host.errors import BadSetting, StorageUnavailable
from localazure.host.function import BLOB, HTTP, QUEUE, TIMER, Function
from localazure.host.host_json import HostJson, QueueOptions
from localazure.host.listener import Listener
from localazure.host.message import Message
from localazure.host.queue import Queue, Queues
from localazure.host.queues import LEASE, QueueListener
from localazure.host.runner import Runner
from localazure.host.singleton import Singleton
from localazure.host.storage import Storage
from localazure.host.timers import TimerListener
from localazure.host.zones import zone

log = logging.getLogger("localazure.host.listeners")
CONTAINER = "azure-webjobs-hosts"
LEASE_SETTING = "LOCALAZURE_QUEUE_LEASE_SECONDS"
"""How long a message under work is nobody else's: Azure's 10 minutes, but for tests."""


class Listeners:
    """Makes them anew for each start: a listener that has stopped does not begin again."""

    def __init__(
        self,
        *,
        functions: Sequence[Function],
        host_id: str,
        host_json: HostJson,
        environ: Mapping[str, str],
        storage: Storage,
        queues: Queues,
        runner: Runner,
    ) -> None:
        self._functions = [one for one in functions if not one.disabled]
        self._host_id, self._host_json, self._environ = host_id, host_json, environ
        self._storage, self._queues, self._runner = storage, queues, runner

    def made(self) -> list[Listener]:
        """What the functions that are not disabled wait for; raises HostError."""
        makers = {QUEUE: self._queue, TIMER: self._timer}
        alone = [makers[one.kind](one) for one in self._functions if one.kind in makers]
        return [*alone, *self._blobs([one for one in self._functions if one.kind == BLOB])]

    async def prepare(self) -> None:
        """The host's own container, which Azure's host makes whatever it listens to.

        raises: StorageUnavailable; an app that is all HTTP works without
        """
        if not settings.is_named("", self._environ):
            return
        try:
            await self._own_blob("", "the host").create_container()
        except StorageUnavailable as problem:
            if any(one.kind != HTTP for one in self._functions):
                raise
            log.warning("%s", problem)

    # --- queues and timers ----------------------------------------------------------------------------------

    def _queue(self, function: Function) -> Listener:
        trigger, where = function.trigger, function.name
        connection = settings.connection(trigger.get("connection") or "", self._environ, where=where)
        name = settings.resolve(str(trigger["queueName"]), self._environ, where=where)
        queue = self._queues.get(connection, name, where=where)
        poison = queue.poison()
        return QueueListener(
            queue=queue,
            options=self._host_json.queues,
            call=self._calls(function),
            poison=lambda _: poison,
            lease=_lease(self._environ),
        )

    def _calls(self, function: Function) -> Callable[[Message, bytes], Awaitable[object]]:
        def call(message: Message, body: bytes) -> Awaitable[object]:
            data = binding_data.of_message(message, body)
            return self._runner.run(function, binding.queue_message(message, body), data=data)

        return call

    def _timer(self, function: Function) -> Listener:
        trigger, where = function.trigger, function.name
        text = settings.resolve(str(trigger["schedule"]), self._environ, where=where)
        times = schedule.parse(text, zone=zone(self._environ), where=where)
        keeps = trigger.get("useMonitor", True) and not times.often
        name = f"{self._host_id}/{function_id(where)}"
        return TimerListener(
            function=function,
            schedule=times,
            blob=self._own_blob(f"timers/{name}/status", where) if keeps else None,
            lock=Singleton(self._own_blob(f"locks/{name}.Listener", where), where),
            run_on_startup=bool(trigger.get("runOnStartup")),
            retry=retries.parse(function.retry, where=where) if function.retry else None,
            runner=self._runner,
        )

    # --- blobs ----------------------------------------------------------------------------------------------

    def notices(self) -> Queue:
        """The queue of blob notices, in the host's own storage."""
        own = settings.connection("", self._environ, where="the host")
        return self._queues.get(own, notices_queue(self._host_id), where="the host's id")

    def _blobs(self, functions: Sequence[Function]) -> list[Listener]:
        """One that works off the notices, and one that looks for blobs for each function that wants that."""
        if not functions:
            return []
        watches = {function_id(one.name): self._watch(one) for one in functions}
        calls, blobs = BlobCalls(watches, self._runner), self._host_json.blobs
        worker = QueueListener(
            queue=self.notices(),
            options=QueueOptions(
                batch_size=min(32, blobs.max_parallel // 2 + 1),
                new_batch_threshold=max(0, blobs.max_parallel - min(32, blobs.max_parallel // 2 + 1)),
                max_polling_interval=self._host_json.queues.max_polling_interval,
                max_dequeue_count=blobs.poison_threshold,
            ),
            call=calls.call,
            poison=calls.poison,
            lease=_lease(self._environ),
        )
        return [worker, *(self._scanner(one) for one in watches.values() if not one.by_events)]

    def _watch(self, function: Function) -> Watch:
        trigger, where = function.trigger, function.name
        path = settings.resolve(str(trigger["path"]), self._environ, where=where)
        container, find = binding_data.matcher(path, where=where)
        account = settings.connection(trigger.get("connection") or "", self._environ, where=where)
        service = self._storage.service("Blob", account, where=where)
        return Watch(
            function=function,
            container=container,
            find=find,
            by_events=str(trigger.get("source") or "").lower() == "eventgrid",
            blob=partial(Blob, self._storage, service),
            poison=self._queues.get(account, POISON_QUEUE, where=where),
        )

    def _scanner(self, watch: Watch) -> Listener:
        where = watch.function.name
        account = settings.connection(
            watch.function.trigger.get("connection") or "", self._environ, where=where
        )
        service = self._storage.service("Blob", account, where=where)
        lock = f"locks/{self._host_id}/{function_id(where)}.BlobListener"
        return BlobScanner(
            watch=watch,
            container=Container(self._storage, service, watch.container),
            queue=self.notices(),
            receipt=lambda version: self._own_blob(receipt_name(self._host_id, where, version), where),
            lock=Singleton(self._own_blob(lock, where), where),
        )

    def _own_blob(self, name: str, where: str) -> Blob:
        """A blob in the host's own storage."""
        own = settings.connection("", self._environ, where=where)
        return Blob(self._storage, self._storage.service("Blob", own, where=where), CONTAINER, name)


def _lease(environ: Mapping[str, str]) -> float:
    text = environ.get(LEASE_SETTING) or str(LEASE)
    try:
        lease = float(text)
    except ValueError:
        lease = 0
    if lease < 1:
        raise BadSetting(f"{LEASE_SETTING} is {text!r}: a number of seconds from 1.")
    return lease
