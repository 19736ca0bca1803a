"""The gate before every route: authentication (401), authorization (403), rate limit (429), version, body size (413)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from functions.http.auth.callers import Caller, CannotTell, NotAdmitted, NotPermitted
from functions.http.auth.credentials import Credentials
from functions.http.auth.same_origin import is_same_origin
from functions.http.auth.scopes import READING, SESSION, required
from functions.http.middleware import api_version, body_size
from functions.http.middleware.rate_limit import Limiter, client_address
from functions.http.problems import Problem

LIVE = "/api/health/live"


@dataclass(frozen=True)
class Gate:
    """Lets a request through to the routes, with its caller in the request's state; or ends it."""

    app: ASGIApp
    credentials: Credentials
    limiter: Limiter
    trusts_front: bool
    """Whether X-Forwarded-For ends with what a front end of ours added."""
    largest_file: int
    """Bytes."""
    public: str
    """The folder that needs no credential: the sign-in page with what belongs to it."""

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == LIVE:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            caller, refusal = await self._admit(scope, headers), None
        except Problem as problem:  # said only within the address's limit: it takes as much work as an answer
            caller, refusal = None, problem
        name = (
            caller.name
            if caller
            else f"address:{client_address(scope, headers, trusts_front=self.trusts_front)}"
        )
        allowance = self.limiter.take(name)
        limits = self.limiter.headers(allowance)
        if not allowance.granted:
            wait = {**limits, "Retry-After": str(allowance.seconds)}
            raise Problem(429, "Too many requests; wait as Retry-After says.", headers=wait)
        if refusal is not None:
            raise refusal
        if caller is None and not self._is_open(scope["method"], scope["path"]):
            raise _unauthenticated()
        if caller is not None:
            _permit(caller, scope["method"], scope["path"], headers)
        api_version.check(scope["path"], scope["query_string"], _now)
        largest = body_size.largest_body(scope["path"], self.largest_file)
        body_size.check_length(headers, largest)
        scope["state"]["caller"] = caller

        async def limited(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(limits)
            await send(message)

        await self.app(scope, body_size.bounded(receive, largest), limited)

    def _is_open(self, method: str, path: str) -> bool:
        """Whether the address needs no credential."""
        if path == SESSION:
            return method in ("POST", "DELETE")
        return method in READING and path.startswith(self.public)

    async def _admit(self, scope: AsgiScope, headers: Headers) -> Caller | None:
        """The caller; None when there is none. For a token the tenant's keys may have to be fetched: in a thread.

        raises: Problem 503 when it cannot be found out now, 403 when the credential opens nothing
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


def _now() -> datetime:
    return datetime.now(UTC)


def _unauthenticated() -> Problem:
    detail = "Send a key in the header x-functions-key, or a bearer token in Authorization."
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="campanha"'})


def _permit(caller: Caller, method: str, path: str, headers: Headers) -> None:
    needed = required(method, path)
    if caller.scope < needed:
        raise Problem(403, f"This takes the {needed.label} scope; the credential has {caller.scope.label}.")
    if caller.by_cookie and method not in READING and not is_same_origin(headers):
        raise Problem(403, "A change asked with the session cookie must come from our own pages.")
