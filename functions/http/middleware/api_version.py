"""Which API version a request is made for: `?api-version=YYYY-MM-DD`, always said, never guessed; no parameter twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.http import api_versions
from functions.http.api_versions import ApiVersion
from functions.http.problems import Problem, rules_broken

PARAMETER = "api-version"
FREE = ("/api/health", "/api/openapi.json", "/api/docs", "/api/session")
"""Addresses that are the same in every version, and what lies below them."""


@dataclass(frozen=True)
class Versioned:
    """Says in every answer when its version is deprecated, and when it ends: in errors too, and when nothing changed."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        version = _version_of(scope) if scope["type"] == "http" else None
        ending = version.headers() if version else {}

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(ending)
            await send(message)

        await self.app(scope, receive, told if ending else send)


def check(path: str, query_string: bytes, now: Callable[[], datetime]) -> None:
    """raises: Problem when the version is missing, or not one we know, or over; or when any parameter is given twice"""
    query = _parameters(query_string)
    if not _is_versioned(path):
        return
    given = query.get(PARAMETER)
    if not given:
        detail = f"Add {PARAMETER}={api_versions.newest().name} to the address."
        raise Problem(400, detail, code="MissingApiVersionParameter")
    version, working = api_versions.named(given), ", ".join(api_versions.working(now()))
    if version is None:
        detail = f"There is no such {PARAMETER}; known: {working}."
        raise Problem(400, detail, code="UnsupportedApiVersionValue")
    if version.ended(now()):
        detail = f"This {PARAMETER} ended, as its answers had said; those that work: {working}. See {version.about}."
        raise Problem(400, detail, code="ApiVersionEnded")


def _is_versioned(path: str) -> bool:
    return path.startswith("/api/") and not any(path == free or path.startswith(f"{free}/") for free in FREE)


def _version_of(scope: Scope) -> ApiVersion | None:
    """The version that a request names, whatever else is wrong with it."""
    given = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    return api_versions.named(given.get(PARAMETER, "")) if _is_versioned(scope["path"]) else None


def _parameters(query_string: bytes) -> dict[str, str]:
    """raises: Problem when a parameter is given twice: whichever we took, the caller may have meant the other"""
    given: dict[str, str] = {}
    for name, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True):
        if name in given:
            raise rules_broken({"location": f"query.{name}", "rule": "given once"})
        given[name] = value
    return given
