"""Puts an app, its triggers and a web server together, keeps them running, and lets them finish."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from localazure.host import index, keys, settings
from localazure.host.admin import Admin
from localazure.host.errors import BadSetting, HostError
from localazure.host.function import HTTP, TRIGGERS, Function
from localazure.host.host_json import HostJson
from localazure.host.host_json import load as load_host_json
from localazure.host.invoke import Invoker
from localazure.host.keys import Keys
from localazure.host.listeners import Listeners
from localazure.host.outlets import Outlets
from localazure.host.queue import Queues
from localazure.host.runner import Runner
from localazure.host.storage import Storage
from localazure.host.telemetry import Telemetry
from localazure.host.throttle import Throttle
from localazure.host.web import LARGEST_BODY, Route, Web, route
from localazure.host.webhooks import EXTENSIONS, Webhooks

log = logging.getLogger("localazure.host")
BODY_SETTING = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"


@dataclass(frozen=True, kw_only=True)
class App:
    """A loaded app with all it needs to run."""

    folder: Path
    functions: Sequence[Function]
    host_json: HostJson
    keys: Keys
    auth: bool
    """False: every caller may call everything, as with `func start`."""
    routes: Sequence[Route]
    environ: Mapping[str, str]

    @property
    def host_id(self) -> str:
        """Never that of a deployed app, so that both may use one storage account."""
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:20]
        return self.environ.get("AzureFunctionsWebHost__hostid") or f"local-{digest}"


def load(
    *,
    folder: Path,
    settings_file: Path | None,
    port: int,
    state: Path,
    auth: bool,
    only: Sequence[str] | None,
) -> App:
    """The app in `folder`, checked; raises HostError. Changes the process's environment and directory.

    `only` names the functions to run, and counts before host.json's `functions`.
    """
    folder, state = folder.resolve(), state.resolve()
    settings.apply(_settings_file(folder, settings_file), os.environ, port=port, app=folder)
    host_json = load_host_json(folder, os.environ)
    if only:
        host_json = replace(host_json, only=frozenset(only))
    for text in host_json.ignored:
        log.warning("host.json: %s; it changes nothing here.", text)
    functions = index.load(folder, host_json, os.environ)
    if any(one.kind != HTTP for one in functions):  # Azure's host asks for it too
        settings.connection("", os.environ, where="the host")
    extensions = {EXTENSIONS[one.kind] for one in functions if one.kind in EXTENSIONS}
    kept = keys.load(state / "host", [one.name for one in functions], extensions)
    routes = [route(one, host_json.http.route_prefix) for one in functions if one.kind == HTTP]
    return App(
        folder=folder, functions=functions, host_json=host_json, keys=kept, auth=auth, routes=routes,
        environ=os.environ,
    )  # fmt: skip


def _settings_file(folder: Path, given: Path | None) -> Path | None:
    usual = folder / "local.settings.json"
    return given.resolve() if given else usual if usual.exists() else None


class Host:
    """A running app. Made inside the event loop."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._storage = Storage(app.environ)
        self._queues = Queues(self._storage)
        self._telemetry = Telemetry(app.environ)
        self.invoker = Invoker(
            threads=_threads(app.environ),
            timeout=app.host_json.function_timeout,
            folder=app.folder,
            told=self._telemetry.called,
        )
        outlets = Outlets(
            self._storage, self._queues, app.environ, base64_encoded=app.host_json.queues.base64
        )
        for function in app.functions:
            outlets.check(function)
        self._runner = Runner(self.invoker, outlets)
        self._maker = Listeners(
            functions=app.functions, host_id=app.host_id, host_json=app.host_json, environ=app.environ,
            storage=self._storage, queues=self._queues, runner=self._runner,
        )  # fmt: skip
        self._listeners = self._maker.made()
        self._tasks: set[asyncio.Task[None]] = set()
        self.draining = False
        self._resuming = asyncio.Lock()
        self._stopping = False
        self.problem: HostError | None = None
        """Why the host could not start."""
        self.crashed = asyncio.Event()
        self.web = self._web()

    def _web(self) -> Web:
        app, http = self._app, self._app.host_json.http
        asked = app.keys if app.auth else None
        return Web(
            routes=app.routes,
            keys=asked,
            admin=Admin(
                host_id=app.host_id, functions=app.functions, runner=self._runner, drains=self, keys=app.keys
            ),
            webhooks=Webhooks(app.functions, asked, self._runner, notices=self._maker.notices),
            runner=self._runner,
            throttle=Throttle(outstanding=http.max_outstanding, concurrent=http.max_concurrent),
            headers=http.headers,
            largest_body=_largest_body(app.environ),
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
        await self._maker.prepare()
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

    def drain(self, *, for_good: bool = False) -> None:
        """Fetch nothing more; what runs finishes, and HTTP is still served. for_good: `resume` does not change it."""
        self.draining = True
        self._stopping = self._stopping or for_good
        for listener in self._listeners:
            listener.stop()

    async def resume(self) -> None:
        """Listen again after a drain, once what it left running is done; raises HostError.

        Asked twice, it does so once: listeners that another one replaces would be stopped by nobody.
        """
        async with self._resuming:
            if not self.draining:
                return
            await asyncio.gather(*self._tasks)
            if self._stopping:
                raise HostError("The host is stopping.")
            self._listeners = self._maker.made()
            await self._listen()

    async def stop(self) -> None:
        """Return when everything that was begun is done."""
        self.drain(for_good=True)
        async with self._resuming:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.invoker.until_idle()
        self.invoker.close()
        self._storage.close()
        self._telemetry.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            log.critical("A trigger stopped listening; the host ends.", exc_info=problem)
            self.crashed.set()


def _largest_body(environ: Mapping[str, str]) -> int:
    text = environ.get(BODY_SETTING) or str(LARGEST_BODY)
    if not text.isdigit():
        raise BadSetting(f"{BODY_SETTING} is {text!r}: a whole number of bytes.")
    return int(text)


def _threads(environ: Mapping[str, str]) -> int | None:
    text = environ.get("PYTHON_THREADPOOL_THREAD_COUNT")
    if not text:
        return None
    if not text.isdigit() or int(text) < 1:
        raise BadSetting(f"PYTHON_THREADPOOL_THREAD_COUNT is {text!r}: a whole number from 1.")
    return int(text)
