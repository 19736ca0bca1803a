"""Two hundred pollers for ten minutes while files flow: how many answers are 304, and whether a state ever goes back.

A stack of its own is started; files are dropped all the time (good ones, some with faults, some known already). Most
pollers follow one file, some a list, some the summary, and some wait there for a change.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from azure.storage.blob import BlobServiceClient

from bench.goals import goals_table, machine_line
from bench.latency import bank_rows
from bench.own_stack import memory_of, own_stack
from commands.client.status_api import VERSION
from commands.setup.machine import load, machine
from commands.stack.state import Stack
from shared.kinds import rank

SEED = 20_261_124
SETTINGS = {"GATHER_QUIET_SECONDS": "3600", "GATHER_LONGEST_SECONDS": "86400"}
"""The window of uploads stays open, so that no training takes the machine from what is measured."""
ASKED = {"api-version": VERSION}
WAIT_SECONDS = 30
NAMES = 20
RATIO_GOAL = 0.9
LISTS = ("/api/uploads", "/api/events", "/api/runs", "/api/quarantine")


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--pollers", type=int, default=200, help="how many poll (default: 200)")
    made.add_argument("--minutes", type=float, default=10.0, help="for how long (default: 10)")
    made.add_argument("--every", type=float, default=20.0, help="seconds between two files (default: 20)")
    made.add_argument(
        "--interval", type=float, default=2.0, help="seconds between two questions of one (default: 2)"
    )


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Start a stack of its own, let files flow, and have it polled."""
    load_before = load()
    with own_stack(SETTINGS) as stack:
        polling = Polling(stack, given)
        asyncio.run(polling.run())
        memory = memory_of(stack, "host", "VmHWM")
    answers = polling.answers()
    polls = sum(answers.values()) - answers["404"]
    ratio = answers["304"] / polls if polls else 0.0
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
        "how": {
            "pollers": given.pollers,
            "minutes": given.minutes,
            "secondsBetweenFiles": given.every,
            "secondsBetweenQuestions": given.interval,
            "seed": SEED,
        },
        "files": polling.dropped,
        "answers": answers,
        "share304": round(ratio, 4),
        "wentBack": polling.went_back(),
        "milliseconds": polling.milliseconds(),
        "hostMibAtMost": memory,
        "goals": [
            {
                "goal": "at least 90 % answered 304",
                "measured": round(100 * ratio, 1),
                "met": ratio >= RATIO_GOAL,
            },
            {
                "goal": "no state goes back",
                "measured": len(polling.went_back()),
                "met": not polling.went_back(),
            },
            {"goal": "no 5xx", "measured": answers["5xx"], "met": answers["5xx"] == 0},
        ],
    }


@dataclass
class Poller:
    """One polling client: what it requests, and what the answers were."""

    path: str
    interval: float
    wait: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    taken: list[float] = field(default_factory=list)
    """Milliseconds of each answer that was not waited for."""
    went_back: list[str] = field(default_factory=list)
    _tag: str = ""
    _seen: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    async def poll(self, client: httpx.AsyncClient) -> float:
        """Polls once; returns after how many seconds to poll again."""
        held = {"if-none-match": self._tag} if self._tag else {}
        params = {**ASKED, **({"wait": str(self.wait)} if self.wait and self._tag else {})}
        began = time.monotonic()
        try:
            answer = await client.get(self.path, params=params, headers=held)
        except httpx.HTTPError as problem:
            self.answers[type(problem).__name__] += 1
            return 5.0
        self.answers["5xx" if answer.status_code >= 500 else str(answer.status_code)] += 1
        if "wait" not in params:
            self.taken.append((time.monotonic() - began) * 1000)
        if answer.status_code == 200:
            self._tag = answer.headers["etag"]
            for record in records_in(answer.json()):
                self._hold(record)
        return 0.1 if "wait" in params else self.interval

    def _hold(self, record: dict[str, Any]) -> None:
        key = (record["kind"], record["id"])
        now, before = (
            (record["seq"], rank(*(record[n] for n in ("kind", "state")))),
            self._seen.get(key, (0, 0)),
        )
        if now < before:
            self.went_back.append(f"{key}: {before} and then {now}")
        self._seen[key] = now


def _name(number: int) -> str:
    return f"poll-{number % NAMES:03}.csv"


def records_in(body: Any) -> list[dict[str, Any]]:
    """Every record in an answer, wherever it stands; an event's data is none: it tells a state that is past."""
    if isinstance(body, list):
        return [record for item in body for record in records_in(item)]
    if not isinstance(body, dict) or {"type", "data"} <= set(body):
        return []
    own = [body] if {"kind", "seq", "state"} <= set(body) else []
    return own + [record for value in body.values() for record in records_in(value)]


class Polling:
    """Files that flow, and all that poll meanwhile."""

    def __init__(self, stack: Stack, given: argparse.Namespace) -> None:
        self._stack, self._given = stack, given
        self._chance = random.Random(SEED)
        self._ends = 0.0
        self.dropped = 0
        self.pollers = [self._poller(number) for number in range(given.pollers)]

    def _poller(self, number: int) -> Poller:
        """Of ten: six follow a file, two a list, one the summary now and then, and one waits at the summary."""
        part, every = number % 10, self._given.interval
        if part < 6:
            return Poller(f"/api/{'lineage' if part % 2 else 'uploads'}/{_name(number)}", every)
        if part < 8:
            return Poller(LISTS[number // 10 % len(LISTS)], every)
        return Poller("/api/status", every, wait=WAIT_SECONDS if part == 9 else 0)

    async def run(self) -> None:
        for _ in range(NAMES):
            await self._drop()
        self._ends = time.monotonic() + 60 * self._given.minutes
        limits = httpx.Limits(max_connections=len(self.pollers) + 10, keepalive_expiry=3)
        headers = {"x-functions-key": self._stack.keys["reader"]}
        async with httpx.AsyncClient(
            base_url=self._stack.host_url,
            headers=headers,
            limits=limits,
            timeout=WAIT_SECONDS + 30,
            trust_env=False,
        ) as client:
            await asyncio.gather(self._drop_files(), *(self._poll(poller, client) for poller in self.pollers))

    async def _poll(self, poller: Poller, client: httpx.AsyncClient) -> None:
        await asyncio.sleep(self._chance.uniform(0, poller.interval))
        while time.monotonic() < self._ends:
            await asyncio.sleep(await poller.poll(client))

    async def _drop_files(self) -> None:
        while time.monotonic() < self._ends:
            await asyncio.sleep(self._given.every)
            await self._drop()

    async def _drop(self) -> None:
        """The next file: new rows under a name that may be known already, and in every fifth some that do not fit."""
        number = self.dropped
        text = bank_rows(20, start=20 * number)
        if number % 5 == 4:
            text = text.replace(b"technician", b"astronaut", 3)
        blobs = BlobServiceClient.from_connection_string(self._stack.connection_string)
        await asyncio.to_thread(
            blobs.get_blob_client("incoming", _name(number)).upload_blob, text, overwrite=True
        )
        self.dropped += 1

    def answers(self) -> Counter[str]:
        return sum((poller.answers for poller in self.pollers), Counter[str]())

    def went_back(self) -> list[str]:
        return [step for poller in self.pollers for step in poller.went_back]

    def milliseconds(self) -> dict[str, float]:
        taken = sorted(value for poller in self.pollers for value in poller.taken)
        if not taken:
            return {}
        p95 = taken[math.ceil(0.95 * len(taken)) - 1]
        return {
            "median": round(statistics.median(taken), 1),
            "p95": round(p95, 1),
            "max": round(taken[-1], 1),
        }


def show(results: dict[str, Any]) -> None:
    """One screen for people."""
    from rich.console import Console

    console = Console()
    how, answered = (
        results["how"],
        ", ".join(f"{count:,} x {status}" for status, count in results["answers"].items() if count),
    )
    console.print(
        f"{how['pollers']} pollers, {how['minutes']:g} minutes, {results['files']} files: {answered}"
    )
    console.print(goals_table(results))
    taken = results["milliseconds"]
    console.print(f"An answer that was not long-polled: median {taken['median']} ms, p95 {taken['p95']} ms.")
    console.print(machine_line(results))
