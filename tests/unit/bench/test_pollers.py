"""What a poller of `./dev bench pollers` asks, and how it finds a state that went back."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench import pollers
from commands.stack.state import Stack

Answer = Callable[[httpx.Request], httpx.Response]


def asked(poller: pollers.Poller, *answers: httpx.Response) -> tuple[list[httpx.Request], list[float]]:
    """What it asked when it was answered so, and how long it would have paused after each."""
    requests: list[httpx.Request] = []
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return left.pop(0)

    async def ask() -> list[float]:
        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(base_url="http://app", transport=transport) as client:
            return [await poller.poll(client) for _ in answers]

    return requests, asyncio.run(ask())


def record(state: str, seq: int, **values: Any) -> dict[str, Any]:
    return {"kind": "upload", "id": "upload/may.csv/0x1", "state": state, "seq": seq, **values}


def found(tag: str, body: Any) -> httpx.Response:
    return httpx.Response(200, headers={"etag": tag}, json=body)


def test_what_it_holds_is_named_in_the_next_question() -> None:
    poller = pollers.Poller("/api/uploads/may.csv", 2.0)
    requests, pauses = asked(
        poller, found('"1"', record("arrived", 1)), httpx.Response(304), httpx.Response(304)
    )
    assert [request.headers.get("if-none-match") for request in requests] == [None, '"1"', '"1"']
    assert pauses == [2.0, 2.0, 2.0]
    assert poller.answers == {"200": 1, "304": 2}
    assert len(poller.taken) == 3


def test_who_waits_asks_again_at_once_and_is_not_timed() -> None:
    poller = pollers.Poller("/api/status", 2.0, wait=30)
    requests, pauses = asked(poller, found('"1"', {}), found('"2"', {}))
    assert [request.url.params.get("wait") for request in requests] == [None, "30"]
    assert pauses == [2.0, 0.1]
    assert len(poller.taken) == 1


def test_failures_of_every_kind_are_counted() -> None:
    poller = pollers.Poller("/api/status", 2.0)
    asked(poller, httpx.Response(503), httpx.Response(500), httpx.Response(404))
    assert poller.answers == {"5xx": 2, "404": 1}

    def hangs_up(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("gone")

    async def ask() -> float:
        async with httpx.AsyncClient(
            base_url="http://app", transport=httpx.MockTransport(hangs_up)
        ) as client:
            return await poller.poll(client)

    assert asyncio.run(ask()) == 5.0
    assert poller.answers["ReadError"] == 1


@pytest.mark.parametrize(
    ("then", "back"), [(record("admitted", 2), 0), (record("arrived", 2), 0), (record("arrived", 1), 1)]
)
def test_a_state_that_goes_back_is_told_wherever_it_stands(then: dict[str, Any], back: int) -> None:
    poller = pollers.Poller("/api/lineage/may.csv", 2.0)
    first = {"key": "may.csv", "upload": record("admitted", 2)} if back else {"upload": record("arrived", 1)}
    asked(poller, found('"1"', first), found('"2"', {"value": [{"deep": then}]}))
    assert len(poller.went_back) == back


def test_an_event_tells_a_state_that_is_past_and_is_no_record() -> None:
    events = [
        {"id": str(seq), "type": "x", "data": record(state, seq)}
        for state, seq in (("admitted", 2), ("arrived", 1))
    ]
    poller = pollers.Poller("/api/events", 2.0)
    asked(poller, found('"1"', {"value": events}))
    assert poller.went_back == []


def test_of_ten_six_follow_a_file_two_a_list_and_one_waits(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.prepare()
    given = argparse.Namespace(pollers=200, minutes=0.0, every=1.0, interval=2.0)
    polling = pollers.Polling(stack, given)
    rooms = Counter(
        "list" if poller.path in pollers.LISTS else poller.path.split("/")[2] for poller in polling.pollers
    )
    assert rooms == {"uploads": 60, "lineage": 60, "list": 40, "status": 40}
    assert sum(poller.wait > 0 for poller in polling.pollers) == 20
    for number, poller in enumerate(polling.pollers[:3]):
        poller.answers.update({"200": 1, "304": number})
        poller.taken.append(float(number))
    assert polling.answers() == {"200": 3, "304": 3}
    assert polling.milliseconds() == {"median": 1.0, "p95": 2.0, "max": 2.0}
