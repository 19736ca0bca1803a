"""On real parts: a webhook that lost what it was told is told a span of the history once more, with the ids of then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from story.running import QUICK, Running, bank
from stub_server import Answer, Request, stub_server

from commands.stack import supervisor
from commands.stack.state import Stack
from shared.domain.webhook import ALLOWED_ORIGIN

SECRET = "what only the two of them know, and nobody else"


@dataclass
class Subscriber:
    """A system that is told of every event."""

    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        if request.method == "POST":
            self.heard.append(request.json)
        return Answer(headers={ALLOWED_ORIGIN: "*"})


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    made = Subscriber()
    with stub_server(made.answer) as address:
        made.url = f"{address}/events"
        yield made


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
