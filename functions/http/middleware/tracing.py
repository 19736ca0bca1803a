"""Trace id, request id, security headers: the outermost layer; no failure leaves it without a problem+json."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.http.problems import Problem
from shared import telemetry
from shared.domain.trace import Trace
from shared.errors import CampanhaError
from shared.telemetry.spans import Active

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Headers of every answer that does not set its own."""
READS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Change nothing and lead to nothing: they have no span of their own, since the host tells of each request anyway."""


@dataclass(frozen=True)
class Traced:
    """Wraps the app; a HEAD runs as a GET, whose body the server then leaves out."""

    app: ASGIApp
    respond: Callable[[Problem, Request], Response]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        active = _span_of(scope)
        with telemetry.span(active, exported=lambda: scope["method"] not in READS):
            await self._traced(active, scope, receive, send)

    async def _traced(self, active: Active, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["state"] = dict(scope.get("state") or {})
        state["trace_id"] = active.place.trace_id
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        begun = False

        async def tagged(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                _tag(MutableHeaders(scope=message), active.place)
                active.name = f"{scope['method']} {getattr(scope.get('route'), 'path', 'nowhere')}"
                active.attributes["http.response.status_code"] = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, tagged)
        except Exception as cause:
            if begun:
                raise
            problem = _problem(cause, scope)
            active.problem = "" if problem is cause else type(cause).__name__
            await self.respond(problem, Request(scope))(scope, receive, tagged)


def _span_of(scope: Scope) -> Active:
    """Under the caller's span, if its request names one."""
    given = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    caller = Trace.read(given.decode("latin-1"))
    place = caller.child() if caller else Trace.begun()
    method = scope["method"]
    return Active(
        method,
        place,
        caller.span_id if caller else "",
        attributes={"http.request.method": method},
    )


def _tag(headers: MutableHeaders, place: Trace) -> None:
    headers["x-ms-request-id"] = f"{place.trace_id}-{place.span_id}"
    headers["traceparent"] = place.traceparent
    for name, value in EVERYWHERE.items():
        headers.setdefault(name, value)


def _problem(cause: Exception, scope: Scope) -> Problem:
    if isinstance(cause, Problem):
        return cause
    where = traceback.extract_tb(cause.__traceback__)[-1]
    telemetry.say(
        telemetry.Action.ANSWER,
        "A request failed.",
        level=logging.ERROR,
        problem=type(cause).__name__,
        at=f"{where.filename}:{where.lineno}",
    )
    if isinstance(cause, CampanhaError):
        return Problem(503, "Something this answer needs does not respond now.", headers={"Retry-After": "5"})
    return Problem(500, "Something failed on our side; the app's log has it under this traceId.")
