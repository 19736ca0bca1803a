"""On real parts: a webhook that lost what it was told is told a span of the history once more, with the ids of then."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from story.running import QUICK, Running, bank

from commands.stack import supervisor
from commands.stack.state import Stack
from shared.domain.webhook import ALLOWED_ORIGIN

SECRET = "what only the two of them know, and nobody else"


@dataclass
class Subscriber:
    """A system that is told of every event."""

    server: ThreadingHTTPServer
    heard: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/events"


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    class Handler(BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            made.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer()

        def _answer(self) -> None:
            self.send_response(200)
            self.send_header(ALLOWED_ORIGIN, "*")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    made = Subscriber(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.slow
def test_a_subscriber_is_told_a_span_of_the_history_once_more(subscriber: Subscriber, tmp_path: Path) -> None:
    run = Running(Stack(tmp_path / "state"))
    webhooks = json.dumps([{"url": subscriber.url, "secret": SECRET}])
    try:
        run.up(**QUICK, WEBHOOKS=webhooks, WEBHOOKS_ON_LOOPBACK="true")
        began = datetime.now(UTC) - timedelta(minutes=1)
        header, rows = bank()
        run.drop("incoming", "monday.csv", [header, *rows[:60]])
        run.until(lambda: "Campanha.UploadRegistered.v1" in _types(subscriber), "the events", seconds=90)
        told = _of_uploads(subscriber)
        assert len(told) == len(set(told)) == 3

        span = ("--since", began.isoformat(), "--type", "Campanha.Upload")
        planned = json.loads(run.says("events", "replay", *span, "--dry-run", "--json"))
        assert (planned["count"], planned["ids"]) == (3, told)
        assert _of_uploads(subscriber) == told, "a dry run delivers nothing"

        run.says("events", "replay", *span, "--reason", "it lost its disk")
        run.until(lambda: len(_of_uploads(subscriber)) == 6, "them once more", seconds=60)
        assert _of_uploads(subscriber) == [*told, *told]
    finally:
        supervisor.down(run.stack)


def _types(subscriber: Subscriber) -> list[str]:
    return [event["type"] for event in subscriber.heard]


def _of_uploads(subscriber: Subscriber) -> list[str]:
    """The ids of what it heard of uploads, in the order in which it heard it."""
    return [event["id"] for event in subscriber.heard if event["type"].startswith("Campanha.Upload")]
