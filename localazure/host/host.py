"""Puts an app, its triggers and a web server together, keeps them running, and lets them finish."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localazure.host import index, keys, schedule, settings
from localazure.host import retry as retries
from localazure.host.admin import Admin
from localazure.host.blob import Blob
from localazure.host.errors import BadSetting, HostError
from localazure.host.function import HTTP, QUEUE, TIMER, TRIGGERS, Function
from localazure.host.host_json import HostJson
from localazure.host.host_json import load as load_host_json
from localazure.host.invoke import Invoker
from localazure.host.keys import Keys
from localazure.host.listener import Listener
from localazure.host.queue import Queues
from localazure.host.queues import LEASE, QueueListener
from localazure.host.runner import Runner
from localazure.host.storage import Storage
from localazure.host.timers import TimerListener
from localazure.host.web import Route, Web, route
from localazure.host.zones import zone

log = logging.getLogger("localazure.host")
STATUS_CONTAINER = "azure-webjobs-hosts"
LEASE_SETTING = "LOCALAZURE_QUEUE_LEASE_SECONDS"
"""How long a message under work is nobody else's: Azure's 10 minutes, but for tests."""


@dataclass(frozen=True, kw_only=True)
class App:
    """A loaded app with all it needs to run."""

    folder: Path
    functions: Sequence[Function]
    host_json: HostJson
    keys: Keys | None
    routes: Sequence[Route]
    environ: Mapping[str, str]

    @property
    def host_id(self) -> str:
        """Never that of a deployed app, so that both may use one storage account."""
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:20]
        return self.environ.get("AzureFunctionsWebHost__hostid") or f"local-{digest}"


def load(*, folder: Path, settings_file: Path, port: int, state: Path, auth: bool) -> App:
    """The app in `folder`, checked; raises HostError. Changes the process's environment and directory."""
    folder = folder.resolve()
    settings.apply(settings_file.resolve(), os.environ, port=port, app=folder)
    host_json = load_host_json(folder, os.environ)
    kept = keys.load(state.resolve() / "host") if auth else None
    functions = index.load(folder, host_json, os.environ)
    routes = [route(function, host_json.route_prefix) for function in functions if function.kind == HTTP]
    return App(
        folder=folder, functions=functions, host_json=host_json, keys=kept, routes=routes, environ=os.environ
    )


class Host:
    """A running app. Made inside the event loop."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._storage = Storage()
        self._queues = Queues(self._storage)
        self.invoker = Invoker(
            threads=_threads(app.environ), timeout=app.host_json.function_timeout, folder=app.folder
        )
        queues = {
            output: self._queues.get(
                settings.connection(output.connection, app.environ, where=function.name),
                settings.resolve(output.queue, app.environ, where=function.name),
                where=function.name,
            )
            for function in app.functions
            for output in function.outputs
        }
        self._runner = Runner(self.invoker, queues, base64_encoded=app.host_json.queues.base64)
        self._listeners = self._made()
        self._tasks: set[asyncio.Task[None]] = set()
        self.draining = False
        self.problem: HostError | None = None
        """Why the host could not start."""
        self.crashed = asyncio.Event()
        admin = Admin(host_id=app.host_id, functions=app.functions, runner=self._runner, drains=self)
        self.web = Web(
            routes=app.routes,
            keys=app.keys,
            admin=admin,
            runner=self._runner,
            on_start=self.start,
            on_stop=self.stop,
        )

    # --- triggers -------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Make what the triggers need and begin to listen; on HostError keep it in `problem` and raise."""
        try:
            await self._listen()
        except HostError as problem:
            self.problem = problem
            raise

    async def _listen(self) -> None:
        for listener in self._listeners:
            await listener.prepare()
        self.draining = False
        log.info("Functions: %s", ", ".join(self._described()) or "none")
        for listener in self._listeners:
            task = asyncio.create_task(listener.run())
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _described(self) -> list[str]:
        kinds = TRIGGERS.items()
        functions = self._app.functions
        return [
            f"{function.name} ({name}{', disabled' if function.disabled else ''})"
            for kind, name in kinds
            for function in functions
            if function.kind == kind
        ]

    @property
    def outstanding(self) -> int:
        return len(self.invoker.outstanding)

    def drain(self) -> None:
        """Fetch nothing more; what runs finishes, and HTTP is still served."""
        self.draining = True
        for listener in self._listeners:
            listener.stop()

    async def resume(self) -> None:
        """Listen again after a drain, once what it left running is done; raises HostError."""
        if self.draining:
            await asyncio.gather(*self._tasks)
            self._listeners = self._made()
            await self._listen()

    async def stop(self) -> None:
        """Return when everything that was begun is done."""
        self.drain()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.invoker.until_idle()
        self.invoker.close()
        self._storage.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            log.critical("A trigger stopped listening; the host ends.", exc_info=problem)
            self.crashed.set()

    # --- making listeners -----------------------------------------------------------------------------------

    def _made(self) -> list[Listener]:
        active = [function for function in self._app.functions if not function.disabled]
        makers = {QUEUE: self._queue_listener, TIMER: self._timer_listener}
        return [makers[function.kind](function) for function in active if function.kind in makers]

    def _queue_listener(self, function: Function) -> Listener:
        environ, trigger = self._app.environ, function.trigger
        if function.retry:
            log.warning(
                "%s: retry policies do not apply to queue triggers; host.json's queue rules do.",
                function.name,
            )
        connection = settings.connection(trigger.get("connection") or "", environ, where=function.name)
        name = settings.resolve(str(trigger["queueName"]), environ, where=function.name)
        return QueueListener(
            function=function,
            queue=self._queues.get(connection, name, where=function.name),
            options=self._app.host_json.queues,
            runner=self._runner,
            lease=_lease(environ),
        )

    def _timer_listener(self, function: Function) -> Listener:
        environ, trigger = self._app.environ, function.trigger
        text = settings.resolve(str(trigger["schedule"]), environ, where=function.name)
        times = schedule.parse(text, zone=zone(environ), where=function.name)
        blob = None
        if trigger.get("useMonitor", True) and not times.often:
            own = settings.connection("", environ, where=function.name)
            blob = Blob(
                self._storage,
                self._storage.service("Blob", own, where=function.name),
                STATUS_CONTAINER,
                f"timers/{self._app.host_id}/Host.Functions.{function.name}/status",
            )
        return TimerListener(
            function=function,
            schedule=times,
            blob=blob,
            run_on_startup=bool(trigger.get("runOnStartup")),
            retry=retries.parse(function.retry, where=function.name) if function.retry else None,
            runner=self._runner,
        )


def _lease(environ: Mapping[str, str]) -> float:
    text = environ.get(LEASE_SETTING) or str(LEASE)
    try:
        lease = float(text)
    except ValueError:
        lease = 0
    if lease < 1:
        raise BadSetting(f"{LEASE_SETTING} is {text!r}: a number of seconds from 1.")
    return lease


def _threads(environ: Mapping[str, str]) -> int | None:
    text = environ.get("PYTHON_THREADPOOL_THREAD_COUNT")
    if not text:
        return None
    if not text.isdigit() or int(text) < 1:
        raise BadSetting(f"PYTHON_THREADPOOL_THREAD_COUNT is {text!r}: a whole number from 1.")
    return int(text)
