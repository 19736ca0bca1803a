"""A program that polls the HTTP API between the calls of a run: what the app renders is judged, not only what is stored.

It asks the app's real HTTP handlers, over ports that fail now and then. It is no choice point and draws from a chance of
its own, so that a schedule goes as it would without it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from functions.http.api_versions import newest
from functions.http.app import assemble
from functions.http.auth.credentials import Credentials
from functions.http.auth.scopes import Scope
from functions.http.auth.sessions import Sessions
from functions.http.middleware.polling import TRUSTED_SECONDS, Polled
from shared.errors import Transient
from shared.kinds import KINDS, rank
from shared.ledger import Ledger
from shared.services import Services
from shared.settings import Settings
from simulation import determinism
from simulation.choices import Random
from simulation.processes import Process
from simulation.world import World

KEY = "reader-key-of-the-poller"
LISTS = tuple(f"/api/{kind.plural}" for kind in KINDS if kind.name not in ("quarantine", "operation", "work"))
PATHS = ("/api/status", "/api/events", *LISTS)
EVERY = 4
"""Calls of the app's ports between two polls."""
FAILS_ONCE_IN = 40
"""Calls of the poller's own ports."""
PAGE = 2
"""Records a page, so that few make several."""


class FailingPort:
    """A port that does not answer now and then."""

    def __init__(self, port: Any, poller: Poller) -> None:
        self._port, self._poller = port, poller

    def __getattr__(self, verb: str) -> Any:
        found = getattr(self._port, verb)
        return (
            (lambda *given, **named: self._poller.call(found, *given, **named)) if callable(found) else found
        )


@dataclass
class Held:
    """What the poller was told of an address."""

    tag: str = ""
    outdated_since: int | None = None
    """When, in milliseconds, it was first told that nothing had changed though something had."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Poller:
    """Asks for one address after the other, as programs do, and keeps what was wrong."""

    world: World
    wrong: list[str] = field(default_factory=list)
    answers: dict[int, int] = field(default_factory=dict)
    _seen: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    _held: dict[str, Held] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random, self._turn, self._asked = Random(7), count(), count()
        self._fails, self._failed = True, False
        self._stand_in: Any = SimpleNamespace(scheduler=self.world.scheduler, random=Random(8))
        with determinism.running(self._stand_in):
            self._app, self._forgetful = self._assembled(), self._assembled()
        self.world.scheduler.between = self.between

    def call(self, method: Callable[..., Any], *given: Any, **named: Any) -> Any:
        if self._fails and self._random.below(FAILS_ONCE_IN) == 0:
            self._failed = True
            raise Transient("the simulated service did not answer")
        return method(*given, **named)

    def _services(self) -> Services:
        """Of an instance of the app of its own, none of whose calls is a choice point."""
        world, made = self.world, Process(self.world, -1, skew_seconds=0)
        ports = {
            name: FailingPort(getattr(world, name), self)
            for name in ("table", "present", "files", "workspace")
        }
        ledger = Ledger(
            ports["table"], present=ports["present"], now=world.scheduler.now,
            lease_seconds=world.policy.claim_seconds, most_attempts=world.policy.most_attempts,
        )  # fmt: skip
        return replace(
            world.services_of(made), ledger=ledger, files=ports["files"], workspace=ports["workspace"],
            now=world.scheduler.now,
        )  # fmt: skip

    def _assembled(self) -> Any:
        services = self._services()
        needed: dict[str, Any] = {"campanha_storage": SecretStr("UseDevelopmentStorage=true")}
        needed |= {"azure_subscription_id": "s", "azure_resource_group": "g", "azureml_workspace": "w"}
        keys = {Scope.READER: KEY}
        model_api: Any = None
        app = assemble(
            Settings(**needed, rate_limit_per_minute=10**9), Credentials(keys, Sessions(keys, seconds=3600), None),
            lambda: services, lambda: model_api,
        )  # fmt: skip
        layers: list[Any] = app.user_middleware
        for layer in layers:
            if layer.cls is Polled:  # it trusts an answer for a while, by the clock of this world
                layer.kwargs["now"] = lambda: self.world.scheduler.clock / 1000
        return app

    # --- polling ------------------------------------------------------------------------------------------

    def between(self) -> None:
        """Called before each call of a port."""
        if next(self._turn) % EVERY:
            return
        path = PATHS[next(self._asked) % len(PATHS)]
        with determinism.running(self._stand_in):
            self._poll(path)

    def _poll(self, path: str) -> None:
        held = self._held.setdefault(path, Held())
        answer = self._ask(self._app, path, held.tag)
        if answer.status == 200:
            tag = answer.headers.get("etag", "")
            if not tag or tag == held.tag:
                self.wrong.append(
                    f"{path}: 200 with the ETag {tag or '-'}, and {held.tag or 'none'} was held"
                )
            self._held[path] = Held(tag)
            for record in _records_in(json.loads(answer.body)):
                self._forward(path, record)
        elif answer.status == 304:
            self._unchanged(path, held)
        if path in LISTS:
            self._whole(path)

    def _forward(self, path: str, record: dict[str, Any]) -> None:
        key = (record["kind"], record["id"])
        now, before = (record["seq"], rank(record["kind"], record["state"])), self._seen.get(key, (0, 0))
        if now[0] < before[0] or (now[0] == before[0] and now[1] != before[1] and before != (0, 0)):
            self.wrong.append(f"{path}: {key} was at {before} and is at {now}")
        self._seen[key] = max(before, now)

    def _unchanged(self, path: str, held: Held) -> None:
        """So says another instance, which reads anew; an answer is trusted for a while, and no longer."""
        now, fresh = self.world.scheduler.clock, self._surely(path)
        if fresh.headers.get("etag") == held.tag:
            held.outdated_since = None
            return
        held.outdated_since = held.outdated_since or now
        if now - held.outdated_since > (TRUSTED_SECONDS + 1) * 1000:
            self.wrong.append(f"{path}: 304 for {held.tag}, and it is {fresh.headers.get('etag')} for long")

    def _whole(self, path: str) -> None:
        """All pages, one after the other, have each record that there is, once."""
        kind = next(one.name for one in KINDS if path == f"/api/{one.plural}")
        there = [record.id for record in self.world.bare_ledger().newest(kind, limit=1000)]
        found, page = [], self._surely(path, maxpagesize=str(PAGE))
        while page.status == 200:
            body = json.loads(page.body)
            found += [record["id"] for record in body["value"]]
            if "nextLink" not in body:
                break
            page = self._surely(body["nextLink"])
        if found != there:
            self.wrong.append(f"{path}: its pages have {found}, and there are {there}")

    def _surely(self, path: str, **query: str) -> Answer:
        """Of another instance, which is told of no ETag and so reads anew, and whose ports all answer."""
        self._fails = False
        try:
            return self._ask(self._forgetful, path, "", **query)
        finally:
            self._fails = True

    def _ask(self, app: Any, path: str, tag: str, **query: str) -> Answer:
        self._failed = False
        answer = asyncio.run(_asked(app, path, tag, query))
        self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
        wanted = (200, 304, 503) if self._failed else (200, 304)
        if answer.status not in wanted:
            self.wrong.append(f"{path} is answered {answer.status}: {answer.body[:300].decode()}")
        return answer


async def _asked(app: Any, path: str, tag: str, query: dict[str, str]) -> Answer:
    """One GET, as the host hands it to the app."""
    split = urlsplit(path)
    asked = split.query or "&".join(
        f"{name}={quote(value)}" for name, value in {"api-version": newest().name, **query}.items()
    )
    headers = [(b"host", b"campanha.test"), (b"x-functions-key", KEY.encode())]
    headers += [(b"if-none-match", tag.encode())] if tag else []
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": split.path,
        "raw_path": split.path.encode(), "query_string": asked.encode(), "headers": headers, "root_path": "",
        "server": ("campanha.test", 80), "client": ("127.0.0.1", 1), "state": {},
    }  # fmt: skip
    made = Answer(0, {}, b"")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            made.status = message["status"]
            made.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        else:
            made.body += message.get("body", b"")

    await app(scope, receive, send)
    return made


def _records_in(body: Any) -> Iterator[dict[str, Any]]:
    """Every record in an answer, wherever it stands; an event's data is none: it tells a state that is past."""
    if isinstance(body, list):
        for item in body:
            yield from _records_in(item)
    elif isinstance(body, dict) and not {"type", "data"} <= set(body):
        if {"kind", "seq", "state"} <= set(body):
            yield body
        for value in body.values():
            yield from _records_in(value)
