"""Polling: conditional GETs (If-None-Match, 304), `?wait=` (long poll), and single flight for like requests."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qsl, urlencode

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.http.middleware.etags import Answer, as_it_is, held_tags, not_modified, tagged, tags_of
from functions.http.middleware.long_poll import Watch
from functions.http.middleware.single_flight import SingleFlight
from functions.http.problems import rules_broken
from shared.ledger import Ledger

LONGEST_WAIT = 200
"""Seconds; Azure's front end ends a request after 230."""
TRUSTED_SECONDS = 30
"""How long an answer is taken for unchanged without reading it anew. The token moves with every change, save one
whose process died between making it and moving the token: that is seen after so long."""
MOST_REMEMBERED = 2000
RETRY_AFTER = 5
WITH_FACTS = ("/api/status", "/api/operations/")
"""Beginnings of addresses whose answers also change with facts that are begun and done; the others only with things."""
UNCONDITIONAL = ("/api/session", "/api/health", "/api/docs")


@dataclass(frozen=True)
class Seen:
    """What an address answered last, by its digest, and under which token."""

    token: str
    digest: str
    retry_after: str
    at: float


@dataclass
class Polled:
    """Answers GETs under /api; lets everything else through."""

    app: ASGIApp
    ledger: Callable[[], Ledger]
    watch: Watch
    now: Callable[[], float] = time.monotonic
    _seen: OrderedDict[str, Seen] = field(default_factory=OrderedDict)
    _answers: SingleFlight[Answer] = field(default_factory=SingleFlight)
    _tokens: SingleFlight[str] = field(default_factory=SingleFlight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and is_polled(scope["path"]):
            await (await self._polled(scope))(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _polled(self, scope: Scope) -> Response:
        headers = Headers(scope=scope)
        seconds, scope = _without_wait(scope)
        held = held_tags(headers.get("if-none-match", ""))
        ends = self.now() + seconds
        key = f"{headers.get('host', '')}{scope['path']}?{scope['query_string'].decode('latin-1')}"
        facts = scope["path"].startswith(WITH_FACTS)
        while True:
            version, token = self.watch.version, await self._token(facts)
            unchanged = self._unchanged(key, token, held)
            if unchanged is None:
                answer = await self._answers.fresh(key, partial(_buffered, self.app, scope))
                if answer.status != 200:
                    return as_it_is(answer)
                self._remember(key, token, answer)
                if not held & tags_of(answer.digest) and "*" not in held:
                    return tagged(answer, headers)
                unchanged = self._seen[key]
            left = ends - self.now()
            if left <= 0 or not await self.watch.changed(version, token, left, facts=facts):
                return not_modified(unchanged.digest, held, unchanged.retry_after)

    async def _token(self, facts: bool) -> str:
        async def read() -> str:
            return await anyio.to_thread.run_sync(lambda: self.ledger().token.read(facts=facts))

        return await self._tokens.fresh(str(facts), read)

    def _unchanged(self, key: str, token: str, held: set[str]) -> Seen | None:
        """What is known of an answer that the caller has and that cannot have changed since; else None."""
        seen = self._seen.get(key)
        if seen is None or seen.token != token or self.now() - seen.at > TRUSTED_SECONDS:
            return None
        return seen if held & tags_of(seen.digest) else None

    def _remember(self, key: str, token: str, answer: Answer) -> None:
        retry_after = answer.headers.get("retry-after", str(RETRY_AFTER))
        self._seen[key] = Seen(token, answer.digest, retry_after, self.now())
        self._seen.move_to_end(key)
        if len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)


def is_polled(path: str) -> bool:
    """Whether a GET of this address takes If-None-Match and `?wait=`."""
    return path.startswith("/api/") and not path.startswith(UNCONDITIONAL)


def _without_wait(scope: Scope) -> tuple[int, Scope]:
    """How long the caller would wait, and the request without that; raises: Problem when it is no such number."""
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    wait = query.pop("wait", None)
    if wait is None:
        return 0, scope
    if not re.fullmatch("[0-9]{1,3}", wait) or int(wait) > LONGEST_WAIT:
        rule = f"a whole number of seconds from 0 to {LONGEST_WAIT}"
        raise rules_broken({"location": "query.wait", "rule": rule})
    return int(wait), {**scope, "query_string": urlencode(query).encode()}


async def _buffered(app: ASGIApp, scope: Scope) -> Answer:
    """The route's answer, held until it is whole."""
    parts: list[bytes] = []
    start: Message = {}

    async def nothing() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def collect(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
        else:
            parts.append(message.get("body", b""))

    await app(dict(scope), nothing, collect)
    return Answer(start["status"], MutableHeaders(raw=list(start["headers"])), b"".join(parts))
