"""The gate before every route: who asks, from where, how often, and how much they send."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from functions.http.auth.callers import Caller, CannotTell, NotAdmitted, NotPermitted, Scope
from functions.http.auth.credentials import Credentials
from functions.http.middleware import api_version
from functions.http.middleware.rate_limit import Limiter
from functions.http.problems import Problem, rules_broken

LIVE = "/api/health/live"
SESSION = "/api/session"
READING = ("GET", "HEAD", "OPTIONS")
ADMIN_ONLY = ("/api/audit",)
WITH_PORT = re.compile(r"([0-9.]+|\[[0-9a-fA-F:.]+\])(?::[0-9]+)?")
LARGEST_JSON = 64 * 1024
LARGEST_QUESTION = 4 * 1024 * 1024
"""Bytes of a body that asks the model, and of any other that is no file."""


@dataclass(frozen=True)
class Gate:
    """Lets a request through to the routes, with its caller in the request's state; or ends it."""

    app: ASGIApp
    credentials: Credentials
    limiter: Limiter
    largest_file: int
    """Bytes."""
    open_pages: Callable[[], Collection[str]]
    """What a browser may read that has no session yet: the sign-in page and what belongs to it."""

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == LIVE:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        caller = await self._admit(scope, headers)
        name = caller.name if caller else f"address:{_address(scope, headers)}"
        allowance = self.limiter.take(name)
        limits = self.limiter.headers(allowance)
        if not allowance.granted:
            wait = {**limits, "Retry-After": str(allowance.seconds)}
            raise Problem(429, "Too many requests; wait as Retry-After says.", headers=wait)
        if caller is None and not self._is_open(scope["method"], scope["path"]):
            raise _unauthenticated()
        if caller is not None:
            _permit(caller, scope["method"], scope["path"], headers)
        api_version.check(scope["path"], _query(scope["query_string"]))
        largest = _largest_body(scope["path"], self.largest_file)
        _check_length(headers, largest)
        scope["state"]["caller"] = caller

        async def limited(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(limits)
            await send(message)

        await self.app(scope, _bounded(receive, largest), limited)

    def _is_open(self, method: str, path: str) -> bool:
        """Whether nobody needs to have said who they are."""
        if path == SESSION:
            return method in ("POST", "DELETE")
        return method in READING and path in self.open_pages()

    async def _admit(self, scope: AsgiScope, headers: Headers) -> Caller | None:
        """The caller; None when there is none. For a token the tenant's keys may have to be fetched: in a thread.

        raises: Problem 503 when it cannot be told now, 403 when the credential opens nothing
        """
        try:
            if "authorization" in headers:
                return await anyio.to_thread.run_sync(self.credentials.caller, headers)
            return self.credentials.caller(headers)
        except NotAdmitted:
            return None
        except NotPermitted:
            detail = "The token has none of the roles Reader, Operator and Admin."
            raise Problem(403, detail) from None
        except CannotTell:
            raise Problem(
                503, "Tokens cannot be checked now: the tenant's keys are not to be had.",
                headers={"Retry-After": "30"},
            ) from None  # fmt: skip


def _unauthenticated() -> Problem:
    detail = "Send a key in the header x-functions-key, or a bearer token in Authorization."
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="campanha"'})


def required(method: str, path: str) -> Scope:
    """What it takes to ask this: reading takes a reader, everything else an operator, save the audit trail."""
    if path.startswith(ADMIN_ONLY):
        return Scope.ADMIN
    return Scope.READER if method in READING or path == SESSION else Scope.OPERATOR


def _permit(caller: Caller, method: str, path: str, headers: Headers) -> None:
    needed = required(method, path)
    if caller.scope < needed:
        raise Problem(403, f"This takes the {needed.label} scope; the credential has {caller.scope.label}.")
    if caller.by_cookie and method not in READING and not _is_same_origin(headers):
        raise Problem(403, "A change asked with the session cookie must come from our own pages.")


def _is_same_origin(headers: Headers) -> bool:
    """Whether a page of ours sent it: by the Origin, or by a header no foreign page can add unasked."""
    if "origin" in headers:
        return urlsplit(headers["origin"]).netloc.lower() == headers.get("host", "").lower() != ""
    return headers.get("x-requested-with") == "campanha"


def _address(scope: AsgiScope, headers: Mapping[str, str]) -> str:
    """Where the request came from: what Azure's front end added last, as whatever stands before is the caller's own.

    The front end adds the port too, which is another for each connection.
    """
    forwarded = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    if found := WITH_PORT.fullmatch(forwarded):
        return found[1].strip("[]")
    client = scope.get("client")
    return forwarded or (client[0] if client else "unknown")


def _query(text: bytes) -> dict[str, str]:
    """raises: Problem when a parameter is given twice: whichever we took, the caller may have meant the other"""
    given: dict[str, str] = {}
    for name, value in parse_qsl(text.decode("latin-1"), keep_blank_values=True):
        if name in given:
            raise rules_broken({"where": f"query.{name}", "rule": "given once"})
        given[name] = value
    return given


def _largest_body(path: str, largest_file: int) -> int:
    if path.startswith(("/api/uploads/", "/api/batches/")):
        return largest_file
    return LARGEST_QUESTION if path.startswith("/api/endpoints/") else LARGEST_JSON


def _too_large(largest: int) -> Problem:
    return Problem(413, f"The body is larger than the {largest:,} bytes allowed here.")


def _check_length(headers: Mapping[str, str], largest: int) -> None:
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Problem(400, "Content-Length is not a number.")
    if int(length) > largest:
        raise _too_large(largest)


def _bounded(receive: Receive, largest: int) -> Receive:
    """`receive`, which ends the request when more comes than was announced or is allowed."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > largest:
            raise _too_large(largest)
        return message

    return counted
