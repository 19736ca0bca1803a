"""Makes what listens for each function: to its queue, or to the clock."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from localazure.host import retry as retries
from localazure.host import schedule, settings
from localazure.host.blob import Blob
from localazure.host.errors import BadSetting
from localazure.host.function import QUEUE, TIMER, Function
from localazure.host.host_json import QueueOptions
from localazure.host.listener import Listener
from localazure.host.queue import Queues
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
        options: QueueOptions,
        environ: Mapping[str, str],
        storage: Storage,
        queues: Queues,
        runner: Runner,
    ) -> None:
        self._functions = [one for one in functions if not one.disabled]
        self._host_id, self._options, self._environ = host_id, options, environ
        self._storage, self._queues, self._runner = storage, queues, runner

    def made(self) -> list[Listener]:
        """One for each function that is not disabled and waits for a queue or the clock; raises HostError."""
        makers = {QUEUE: self._queue, TIMER: self._timer}
        return [makers[one.kind](one) for one in self._functions if one.kind in makers]

    def _queue(self, function: Function) -> Listener:
        trigger, where = function.trigger, function.name
        if function.retry:
            log.warning(
                "%s: retry policies do not apply to queue triggers; host.json's queue rules do.", where
            )
        connection = settings.connection(trigger.get("connection") or "", self._environ, where=where)
        name = settings.resolve(str(trigger["queueName"]), self._environ, where=where)
        return QueueListener(
            function=function,
            queue=self._queues.get(connection, name, where=where),
            options=self._options,
            runner=self._runner,
            lease=_lease(self._environ),
        )

    def _timer(self, function: Function) -> Listener:
        trigger, where = function.trigger, function.name
        text = settings.resolve(str(trigger["schedule"]), self._environ, where=where)
        times = schedule.parse(text, zone=zone(self._environ), where=where)
        keeps = trigger.get("useMonitor", True) and not times.often
        name = f"{self._host_id}/Host.Functions.{where}"
        return TimerListener(
            function=function,
            schedule=times,
            blob=self._blob(f"timers/{name}/status", where) if keeps else None,
            lock=Singleton(self._blob(f"locks/{name}.Listener", where), where),
            run_on_startup=bool(trigger.get("runOnStartup")),
            retry=retries.parse(function.retry, where=where) if function.retry else None,
            runner=self._runner,
        )

    def _blob(self, name: str, where: str) -> Blob:
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
