"""Many who poll while files flow: nearly always nothing is sent, and nobody sees a state go back, on any instance."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from fastapi import FastAPI
from flow.world import World, bank_rows

from bench.pollers import records_in
from shared.kinds import rank
from tests.http.asking import VERSION, Answer, Client, app_over, client_of

ROUNDS = 320
FILES = 8
LOOKED_AT = [
    "/api/status",
    "/api/uploads",
    "/api/events",
    "/api/runs",
    *(f"/api/uploads/{number}.csv" for number in range(FILES)),
    *(f"/api/lineage/{number}.csv" for number in range(FILES)),
]


@dataclass
class Poller:
    """Asks for one thing again and again, now one instance and now the other, and holds what it is told to order."""

    path: str
    clients: Any
    answers: Counter[int] = field(default_factory=Counter)
    tag: str = ""
    seen: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """By kind and id: the highest seq, and how far along the state was."""

    async def poll(self) -> None:
        client: Client = next(self.clients)
        held = {"if-none-match": self.tag} if self.tag else {}
        answer: Answer = await client.ask("GET", self.path, params=VERSION, headers=held)
        self.answers[answer.status_code] += 1
        if answer.status_code == 200:
            self.tag = answer.headers["etag"]
            for record in records_in(answer.json()):
                self._hold(record)
        else:
            assert answer.status_code in (304, 404), answer.content
            assert answer.status_code == 404 or answer.headers["etag"] == self.tag

    def _hold(self, record: dict[str, Any]) -> None:
        key = (record["kind"], record["id"])
        now = (record["seq"], rank(record["kind"], record["state"]))
        before = self.seen.get(key, (0, 0))
        assert now[0] >= before[0], f"{key}: seq {before[0]} and then {now[0]}"
        assert now[1] >= before[1], f"{key}: the state went back"
        self.seen[key] = now


def test_pollers_are_sent_little_and_never_see_a_state_go_back() -> None:
    world = World()
    instances = [app_over(world, rate_limit_per_minute=10**9) for _ in range(2)]
    pollers = [Poller(path, cycle(_clients(instances, first))) for path in LOOKED_AT for first in (0, 1)]
    asyncio.run(_poll_while_files_flow(world, pollers))
    answers: Counter[int] = sum((poller.answers for poller in pollers), Counter())
    asked = answers.total() - answers[404]
    assert asked > 5_000
    assert answers[304] / asked >= 0.9, answers
    assert sum(len(poller.seen) for poller in pollers) > FILES * len(pollers) // 4


def _clients(instances: list[FastAPI], first: int) -> list[Client]:
    clients = [client_of(app) for app in instances]
    return clients[first:] + clients[:first]


async def _poll_while_files_flow(world: World, pollers: list[Poller]) -> None:
    """One delivery of the flow now and then, and all pollers in between."""
    arriving = [world.drop(f"{number}.csv", bank_rows(5, start=100 * number)) for number in range(FILES)]
    for turn in range(ROUNDS):
        if turn % 40 == 0 and arriving:
            world.due.append((world.time, arriving.pop(0)))
        if turn % 12 == 0 and world.due:
            world.due.sort(key=lambda item: item[0])
            when, fact = world.due.pop(0)
            world.time = max(world.time, when)
            await asyncio.to_thread(world.deliver, fact)
        await asyncio.gather(*(poller.poll() for poller in pollers))
