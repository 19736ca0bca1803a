"""The ports of the simulation, held to the same suites as Azurite and the embedded workspace: they cannot drift."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from functions.delivery import fact_in
from shared.adapters.memory import system_clock
from shared.domain.facts import Fact
from simulation.host import Message
from simulation.processes import Port
from simulation.world import World


def _through(name: str, port: Any, world: World | None = None) -> Any:
    return Port(name, port, (world or World({})).process(0))


def table() -> Any:
    world = World({})
    world.present.now = system_clock
    return _through("present", world.present, world)


def files(*, chunk_size: int) -> Any:
    world = World({})
    world.files.chunk_size = chunk_size
    return _through("files", world.files, world)


def through_ports(outside: Any, name: str) -> Any:
    """What the suite looks at, with one of its ports as a process of the simulation has it."""
    bare = getattr(outside, name)
    setattr(outside, name, _Settable(name, bare, World({}).process(0)))
    return outside


class _Settable(Port):
    """Tests turn what is behind the port by its attributes."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            super().__setattr__(name, value)
        else:
            setattr(self._port, name, value)


class Queued:
    """The real bus before simulated queues, read as the host reads them."""

    def __init__(self) -> None:
        self._world = World({})
        self.bus = self._world.services_of(self._world.process(0)).bus

    def _waiting(self, queue: str) -> list[tuple[int, int]]:
        there = self._world.pending.items()
        return [
            (at, number) for number, (at, one) in there if isinstance(one, Message) and one.queue == queue
        ]

    def take(self, queue: str) -> list[Fact]:
        due = [number for at, number in self._waiting(queue) if at <= self._world.scheduler.clock]
        taken: list[Any] = [self._world.pending.pop(number)[1] for number in due]
        return [fact_in(b64decode(one.body)) for one in taken]

    def wait_for(self, queue: str) -> list[Fact]:
        self._world.scheduler.clock = max(self._world.scheduler.clock, min(self._waiting(queue))[0])
        return self.take(queue)

    def held(self, queue: str) -> int:
        return len(self._waiting(queue))
