"""The host's own endpoints under /admin: what runs, is it well, run this now, let go of the triggers."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from urllib.parse import unquote

from localazure.host import binding
from localazure.host.errors import HostError
from localazure.host.function import BLOB, EVENT_GRID, QUEUE, TIMER, Function
from localazure.host.invoke import FunctionFailed
from localazure.host.key_admin import HOST_SCOPES, KeyAdmin
from localazure.host.keys import Keys, Level
from localazure.host.message import Message
from localazure.host.runner import Runner
from localazure.host.wire import Reply, Request, json_reply

log = logging.getLogger("localazure.host.admin")
VERSION = "4.0.0-localazure"
NOT_HERE = frozenset(
    ("host", name) for name in ("restart", "state", "config", "processes", "log", "debug", "scale")
)
"""What Azure's host has, and this one answers 501."""


class Drains(Protocol):
    """What the drain endpoints steer."""

    @property
    def outstanding(self) -> int: ...

    @property
    def draining(self) -> bool: ...

    def drain(self) -> None: ...

    async def resume(self) -> None: ...


class Admin:
    """Answers /admin requests; all but ping need the master key."""

    def __init__(
        self, *, host_id: str, functions: Sequence[Function], runner: Runner, drains: Drains, keys: Keys
    ) -> None:
        self._host_id, self._runner, self._drains = host_id, runner, drains
        self._keys = KeyAdmin(keys)
        self._functions = {function.name.lower(): function for function in functions}
        self._started = time.monotonic()
        self._calls: set[asyncio.Task[None]] = set()
        self._routes: dict[tuple[str, ...], Callable[[], Awaitable[Reply]]] = {
            ("GET", "host", "status"): self._status,
            ("GET", "functions"): self._list,
            ("POST", "host", "drain"): self._drain,
            ("GET", "host", "drain", "status"): self._drain_status,
            ("POST", "host", "resume"): self._resume,
            ("POST", "host", "synctriggers"): self._sync_triggers,
        }

    async def answer(self, request: Request, level: Level) -> Reply:
        parts = tuple(unquote(part).lower() for part in request.path.strip("/").split("/")[1:])
        if parts == ("host", "ping") and request.method in {"GET", "POST"}:
            return Reply(status=200)
        if level < Level.ADMIN:
            return Reply(status=401)
        if known := self._routes.get((request.method, *parts)):
            return await known()
        return self._of_path(parts, request)

    def _of_path(self, parts: tuple[str, ...], request: Request) -> Reply:
        last = unquote(request.path.rstrip("/").rpartition("/")[2])
        if parts[:1] == ("host",) and len(parts) in {2, 3} and parts[1] in HOST_SCOPES:
            return self._keys.of_host(parts[1], last if len(parts) == 3 else None, request)
        if parts[:1] == ("functions",) and len(parts) > 1 and (function := self._functions.get(parts[1])):
            return self._of_function(function, parts[2:], last, request)
        if parts[:2] in NOT_HERE:
            return json_reply({"message": f"This host has no /admin/{'/'.join(parts)}."}, status=501)
        return Reply(status=404)

    def _of_function(self, function: Function, rest: tuple[str, ...], last: str, request: Request) -> Reply:
        if rest[:1] == ("keys",) and len(rest) <= 2:
            return self._keys.of_function(function.name, last if len(rest) == 2 else None, request)
        if request.method == "GET" and not rest:
            return json_reply(_described(function))
        if request.method == "GET" and rest == ("status",):
            return json_reply({"isDisabled": function.disabled})
        if request.method == "POST" and not rest:
            return self._invoke(function, request)
        return Reply(status=404)

    async def _status(self) -> Reply:
        return json_reply(
            {
                "id": self._host_id,
                "state": "Running",
                "version": VERSION,
                "versionDetails": VERSION,
                "processUptime": round((time.monotonic() - self._started) * 1000),
                "errors": [],
            }
        )

    async def _list(self) -> Reply:
        return json_reply([_described(function) for function in self._functions.values()])

    async def _drain(self) -> Reply:
        self._drains.drain()
        return Reply(status=202)

    async def _drain_status(self) -> Reply:
        left = self._drains.outstanding
        state = ("InProgress" if left else "Completed") if self._drains.draining else "Disabled"
        return json_reply({"state": state, "outstandingInvocations": left, "outstandingRetries": 0})

    async def _resume(self) -> Reply:
        try:
            await self._drains.resume()
        except HostError as problem:
            return json_reply({"message": str(problem)}, status=503)
        return json_reply({"state": "Running"})

    async def _sync_triggers(self) -> Reply:
        """Azure tells its scale controller; here there is none that could know anything else."""
        return json_reply({"status": "success"})

    def _invoke(self, function: Function, request: Request) -> Reply:
        """202 at once; how the call ends is in the log."""
        try:
            given = json.loads(request.body)["input"]
        except (ValueError, KeyError, TypeError):
            return json_reply({"message": 'The body must be JSON like {"input": "..."}.'}, status=400)
        text = given if isinstance(given, str) else json.dumps(given)
        try:
            value = _value(function, text, request)
        except ValueError as problem:
            return json_reply({"message": f"The input will not do: {problem}"}, status=400)
        task = asyncio.create_task(self._call(function, value))
        self._calls.add(task)  # a task nobody holds may be collected before it ends
        task.add_done_callback(self._calls.discard)
        return Reply(status=202)

    async def _call(self, function: Function, value: Any) -> None:
        try:
            await self._runner.run(function, value)
        except FunctionFailed as failure:
            log.debug("Called by hand, %s failed: %s", function.name, failure)


def _value(function: Function, text: str, request: Request) -> Any:
    """The trigger's value for a call by hand; raises ValueError when the text cannot be one."""
    if function.kind == TIMER:
        return binding.timer_request(status=None, past_due=False)
    if function.kind == QUEUE:
        message = Message(id=str(uuid.uuid4()), receipt="", text=text, dequeue_count=1)
        return binding.queue_message(message, text.encode())
    if function.kind == EVENT_GRID:
        return binding.event_grid_event(json.loads(text))
    if function.kind == BLOB:
        raise ValueError("a blob-triggered function is called by writing a blob")
    told = Request(
        method="POST",
        path=request.path,
        url=request.url,
        headers=request.headers,
        query={},
        body=text.encode(),
    )
    return binding.http_request(told, {})


def _described(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "isDisabled": function.disabled,
        "language": "python",
        "config": {"bindings": [dict(one) for one in function.bindings]},
    }
