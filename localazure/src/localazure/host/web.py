"""The HTTP side, as an ASGI app: the admin API, and HTTP triggers by the order of their functions' names."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from localazure.host import binding, binding_data
from localazure.host.admin import Admin
from localazure.host.errors import HostError
from localazure.host.function import Function
from localazure.host.invoke import FunctionFailed, TraceContext
from localazure.host.keys import Keys, Level, opens
from localazure.host.routes import Template
from localazure.host.runner import Runner
from localazure.host.throttle import Throttle, TooMany
from localazure.host.webhooks import PREFIX, Webhooks
from localazure.host.wire import Reply, Request

log = logging.getLogger("localazure.host.web")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
LARGEST_BODY = 104_857_600
DISCARD_SECONDS = 10.0
READING = ("GET", "HEAD")


@dataclass(frozen=True, kw_only=True)
class Route:
    """An HTTP trigger: where it answers, to which methods (none named: all), and for whom."""

    function: Function
    template: Template
    methods: frozenset[str]
    level: str

    def fits(self, request: Request) -> dict[str, str] | None:
        """The route's values; another method is as good as another path."""
        if self.methods and request.method not in self.methods:
            return None
        return self.template.match(request.path)


def route(function: Function, prefix: str) -> Route:
    """The route of an HTTP function; raises BrokenApp."""
    trigger = function.trigger
    own = str(trigger.get("route") or function.name).strip("/")
    return Route(
        function=function,
        template=Template("/".join(filter(None, [prefix, own])), where=function.name),
        methods=frozenset(str(method).upper() for method in trigger.get("methods") or ()),
        level=str(trigger.get("authLevel") or "FUNCTION"),
    )


class Web:
    """Answers HTTP requests; `on_start` is awaited before the first, `on_stop` after the last."""

    def __init__(
        self,
        *,
        routes: Sequence[Route],
        keys: Keys | None,
        admin: Admin,
        webhooks: Webhooks,
        runner: Runner,
        throttle: Throttle,
        headers: tuple[tuple[str, str], ...],
        largest_body: int,
        on_start: Callable[[], Awaitable[None]],
        on_stop: Callable[[], Awaitable[None]],
    ) -> None:
        """`keys` None: every caller may call everything. `headers` go out with every function's answer."""
        self._routes, self._keys, self._admin, self._runner = routes, keys, admin, runner
        self._webhooks, self._throttle, self._headers = webhooks, throttle, headers
        self._largest_body = largest_body
        self._on_start, self._on_stop = on_start, on_stop
        self._readers: set[asyncio.Task[Reply]] = set()
        self._lets_go = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            reply = await self._answer(scope, receive)
            await _send(reply, send, unread=receive if reply.status == 413 else None)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._on_start()
        except HostError:  # the host keeps it, and whoever started the host says it
            await send({"type": "lifespan.startup.failed"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._on_stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        headers = _headers(scope)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self._largest_body:
            return _said(413, f"The body is larger than the {self._largest_body:,} bytes a request may have.")
        if "transfer-encoding" in headers and "content-length" in headers:
            return _said(400, "Content-Length and Transfer-Encoding: one of them says how long the body is.")
        if "transfer-encoding" in headers:
            log.warning(
                "A request without Content-Length: Azure's host hands its body on empty, and so do we."
            )
        body = await _body(receive) if length.isdigit() and int(length) > 0 else b""
        if body is None:
            log.info("A caller hung up in the midst of its request: nothing is called.")
            return Reply(status=400)  # which nobody gets
        request = _request(scope, headers, body)
        if request.path.lower().startswith("/admin/"):
            return await self._admin.answer(request, self._level(request))
        if request.path.lower().startswith(PREFIX):
            return await self._webhooks.answer(request)
        return await self._trigger(request)

    def _level(self, request: Request, function: str | None = None) -> Level:
        if self._keys is None:
            return Level.ADMIN
        return self._keys.level(request.headers, request.query, function=function)

    async def _trigger(self, request: Request) -> Reply:
        for candidate in self._routes:
            values = candidate.fits(request)
            if values is None:
                continue
            level = self._level(request, candidate.function.name)
            if candidate.function.disabled and level < Level.ADMIN:
                return Reply(status=404)
            if not opens(level, candidate.level):
                return Reply(status=401)
            answer = self._in_turn(candidate.function, request, values)
            reads = request.method in READING and candidate.function.is_async
            return await (self._as_reader(answer) if reads else answer)
        return Reply(status=204 if request.path == "/" else 404)  # the place of Azure's welcome page

    def let_readers_go(self) -> None:
        """Ends the GETs that still wait for their answer, as long polls do: they change nothing, and whoever asked
        asks again. Those of functions in threads are let be: a thread cannot be ended."""
        self._lets_go = True
        for reader in tuple(self._readers):
            reader.cancel()

    async def _as_reader(self, answer: Coroutine[Any, Any, Reply]) -> Reply:
        reader = asyncio.ensure_future(answer)
        self._readers.add(reader)
        try:
            return await reader
        except asyncio.CancelledError:
            if not self._lets_go:
                raise
            return Reply(status=503, headers=(("Retry-After", "1"),))
        finally:
            self._readers.discard(reader)

    async def _in_turn(self, function: Function, request: Request, values: dict[str, str]) -> Reply:
        try:
            async with self._throttle.turn():
                reply = await self._call(function, request, values)
        except TooMany:
            return Reply(status=429)
        return replace(reply, headers=(*reply.headers, *self._headers))

    async def _call(self, function: Function, request: Request, values: dict[str, str]) -> Reply:
        """Run an HTTP function; a failure is a 500 without a body, as in Azure."""
        try:
            data = binding_data.of_request(request, values) if function.inputs or function.outputs else {}
            value, trace = binding.http_request(request, values), TraceContext.begun(request.headers)
            return await self._runner.run(function, value, data=data, trace=trace)
        except FunctionFailed:
            return Reply(status=500)


def _request(scope: Scope, headers: dict[str, str], body: bytes) -> Request:
    path = scope.get("raw_path", b"").decode("ascii", "replace") or scope["path"]
    query = scope["query_string"].decode("latin-1")
    address = f"{scope['scheme']}://{headers.get('host', '127.0.0.1')}{path}"
    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=False):
        values[name] = f"{values[name]},{value}" if name in values else value
    return Request(
        method=scope["method"].upper(),
        path=path,
        url=f"{address}?{query}" if query else address,
        headers=headers,
        query=values,
        body=body,
    )


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


async def _body(receive: Receive) -> bytes | None:
    """All of it; None when the caller hung up before that."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _said(status: int, text: str) -> Reply:
    return Reply(status=status, headers=(("content-type", "text/plain; charset=utf-8"),), body=text.encode())


async def _discard(receive: Receive) -> None:
    """The rest of a request: a connection that is closed with bytes unread is reset, and takes the answer with it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while (await receive()).get("more_body"):
                continue


async def _send(reply: Reply, send: Send, *, unread: Receive | None = None) -> None:
    """unread: where the rest of the request comes from, which nobody wants"""
    ours = {"content-length", "transfer-encoding", "connection"}
    headers = [(name.lower(), value) for name, value in reply.headers if name.lower() not in ours]
    has_body = reply.status >= 200 and reply.status not in {204, 304}
    body = reply.body if has_body else b""
    if has_body:
        headers.append(("content-length", str(len(body))))
    encoded = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": unread is not None})
    if unread is not None:
        await _discard(unread)
        await send({"type": "http.response.body", "body": b""})
