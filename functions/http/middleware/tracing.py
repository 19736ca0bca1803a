"""Trace id, request id, security headers: the outermost layer; no failure leaves it without a problem+json."""

from __future__ import annotations

import logging
import re
import secrets
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.http.problems import Problem
from shared import telemetry
from shared.errors import CampanhaError

TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Headers of every answer that does not set its own."""


@dataclass(frozen=True)
class Traced:
    """Wraps the app; a HEAD runs as a GET, whose body the server then leaves out."""

    app: ASGIApp
    respond: Callable[[Problem, Request], Response]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope["state"] = dict(scope.get("state") or {})
        state["trace_id"], state["span_id"] = _trace_of(scope), secrets.token_hex(8)
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        begun = False

        async def tagged(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                _tag(MutableHeaders(scope=message), state["trace_id"], state["span_id"])
            await send(message)

        try:
            await self.app(scope, receive, tagged)
        except Exception as cause:
            if begun:
                raise
            await self.respond(_problem(cause, scope), Request(scope))(scope, receive, tagged)


def _trace_of(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    found = TRACEPARENT.fullmatch(given.decode("latin-1"))
    return found[1] if found else secrets.token_hex(16)


def _tag(headers: MutableHeaders, trace_id: str, span_id: str) -> None:
    headers["x-ms-request-id"] = f"{trace_id}-{span_id}"
    headers["traceparent"] = f"00-{trace_id}-{span_id}-01"
    for name, value in EVERYWHERE.items():
        headers.setdefault(name, value)


def _problem(cause: Exception, scope: Scope) -> Problem:
    if isinstance(cause, Problem):
        return cause
    where = traceback.extract_tb(cause.__traceback__)[-1]
    telemetry.say(
        "answer",
        "A request failed.",
        level=logging.ERROR,
        problem=type(cause).__name__,
        at=f"{where.filename}:{where.lineno}",
        trace=scope["state"]["trace_id"],
    )
    if isinstance(cause, CampanhaError):
        return Problem(503, "Something this answer needs does not respond now.", headers={"Retry-After": "5"})
    return Problem(500, "Something failed on our side; the app's log has it under this traceId.")
