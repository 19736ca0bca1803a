"""Processes that may die: instances of the app, each call of whose ports is a choice point."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import format_datetime
from functools import cached_property
from typing import Any, Protocol

from shared.adapters.storage_clock import StorageClock
from shared.errors import Conflict, Transient
from shared.services import Services
from simulation.choices import Choices, Option, Point
from simulation.scheduler import Died, Scheduler, Task, Timer

SLOW_SECONDS = 20
STALLED_SECONDS = 200
"""Longer than a lease: others take over what the process is at, and then it wakes."""
HELD_UP_SECONDS = 100
"""Longer than a lease too, and shorter than the fence: a submission that leaves later than that is one that nothing keeps
from being the second."""
LATE_SECONDS = 110
"""So long after its answer was lost a submission may still arrive; the fence is longer."""
BACK_SECONDS = 600
"""After so long the messages of a host that was killed come back."""


@dataclass(frozen=True)
class Call:
    """A call of a port that is on its way."""

    process: Process
    method: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: Mapping[str, Any]

    def __call__(self) -> Any:
        return self.method(*self.arguments, **self.named)


class Surroundings(Protocol):
    """Of the world, what a process needs."""

    scheduler: Scheduler
    choices: Choices

    def services_of(self, process: Process) -> Services: ...

    def lost(self, process: Process) -> None:
        """It died, with all that it was at."""

    def sweep_soon(self) -> None:
        """A lease will lapse."""


# --- what may become of a call --------------------------------------------------------------------------------


def _died_before(call: Call) -> Any:
    call.process.die()
    raise Died


def _died_after(call: Call) -> Any:
    call()
    call.process.die()
    raise Died


def _failed(call: Call) -> Any:
    raise Transient("the simulated service did not answer")


def _reply_lost(call: Call) -> Any:
    call()
    raise Transient("the simulated answer was lost")


def _tried_again(call: Call) -> Any:
    """The answer was lost, and the SDK tried again: storage says that the row is not as it was."""
    call()
    raise Conflict


def _gave_way(call: Call) -> Any:
    call.process.world.scheduler.give_way()
    return call.process.still_here(call)


def _slow(call: Call) -> Any:
    call.process.world.scheduler.sleep(SLOW_SECONDS)
    return call.process.still_here(call)


def _stalled(call: Call, seconds: int = STALLED_SECONDS) -> Any:
    """The whole process stands still, its heartbeats too."""
    scheduler = call.process.world.scheduler
    call.process.stalled_until = scheduler.clock + seconds * 1000
    call.process.world.sweep_soon()
    scheduler.sleep(seconds)
    return call.process.still_here(call)


def _held_up(call: Call) -> Any:
    return _stalled(call, HELD_UP_SECONDS)


def _twice(call: Call) -> Any:
    call()
    return call()


def _late(call: Call) -> Any:
    """No answer comes; the request arrives later, whoever has died by then."""
    call.process.world.scheduler.after(LATE_SECONDS, lambda: _ignoring(call))
    raise Transient("the simulated service did not answer in time")


def _late_and_died(call: Call) -> Any:
    call.process.world.scheduler.after(LATE_SECONDS, lambda: _ignoring(call))
    call.process.die()
    raise Died


def _ignoring(call: Call) -> None:
    try:
        call()
    except Transient:
        return


DIED_BEFORE, DIED_AFTER = Option("died before it", _died_before), Option("died after it", _died_after)
FAILED, REPLY_LOST = Option("failed", _failed), Option("did it, and the answer was lost", _reply_lost)
TRIED_AGAIN = Option("did it, and was tried again", _tried_again)
GAVE_WAY = Option("waited for the others", _gave_way)
SLOW = Option(f"took {SLOW_SECONDS} s", _slow)
STALLED = Option(f"stood still for {STALLED_SECONDS} s", _stalled)
HELD_UP = Option(f"stood still for {HELD_UP_SECONDS} s", _held_up)
TWICE, LATE = Option("did it twice", _twice), Option(f"came {LATE_SECONDS} s late, without an answer", _late)
LATE_AND_DIED = Option(f"came {LATE_SECONDS} s late, and its process had died", _late_and_died)

READS = (DIED_BEFORE, FAILED, GAVE_WAY, SLOW, STALLED)
WRITES = (DIED_BEFORE, DIED_AFTER, FAILED, REPLY_LOST, GAVE_WAY, SLOW, STALLED)
CONDITIONAL = (*WRITES, TRIED_AGAIN)
OPTIONS: dict[str, tuple[Option, ...]] = {
    "insert": CONDITIONAL, "replace": CONDITIONAL, "commit": CONDITIONAL, "delete": WRITES,
    "write": WRITES, "create": CONDITIONAL, "write_once": (*WRITES, TWICE), "stage": WRITES, "seal": WRITES,
    "register_dataset": WRITES, "cancel_run": WRITES, "begin_deployment": WRITES, "set_traffic": WRITES,
    "delete_deployment": WRITES, "submit": (*WRITES[:-1], HELD_UP, LATE, LATE_AND_DIED), "send_message": (*WRITES, TWICE),
    "deliver": (*WRITES, TWICE), "send": (*WRITES, TWICE), "handshake": WRITES,
}  # fmt: skip
"""By a port's verb; any other is a read."""
IN_PAGES = {"rows", "list"}
"""Verbs that answer with as much as a page at once, when it is looked at."""
LOCAL = {"url"}
"""Verbs that ask nobody."""


class Port:
    """A port of a process: each call of it is a choice point."""

    def __init__(self, name: str, port: Any, process: Process) -> None:
        self._name, self._port, self._process = name, port, process

    def __getattr__(self, verb: str) -> Any:
        found = getattr(self._port, verb)
        if verb in LOCAL or not callable(found):
            return found
        point, process = point_of(self._name, verb), self._process
        if verb == "read":
            made: Any = lambda *a, **k: _in_chunks(process, point, found(*a, **k))  # noqa: E731
        elif verb in IN_PAGES:
            made = lambda *a, **k: _in_pages(process, point, lambda: list(found(*a, **k)))  # noqa: E731
        else:
            made = lambda *a, **k: process.call(point, found, a, k)  # noqa: E731
        self.__dict__[verb] = made
        return made


_POINTS: dict[tuple[str, str], Point] = {}


def point_of(port: str, verb: str) -> Point:
    key = (port, verb)
    if key not in _POINTS:
        _POINTS[key] = Point(f"{port}.{verb}", OPTIONS.get(verb, READS))
    return _POINTS[key]


def _in_pages(process: Process, point: Point, page: Callable[[], list[Any]]) -> Iterator[Any]:
    yield from process.call(point, page, (), {})


def _in_chunks(process: Process, point: Point, chunks: Iterator[bytes]) -> Iterator[bytes]:
    while True:
        chunk = process.call(point, lambda: next(chunks, None), (), {})
        if chunk is None:
            return
        yield chunk


class Process:
    """One instance of the app, from its start to its end: what it remembers dies with it."""

    def __init__(self, world: Surroundings, number: int, *, skew_seconds: int) -> None:
        """skew_seconds: of its machine's clock"""
        self.world, self.number, self.alive, self.stalled_until = world, number, True, 0
        self.tasks: list[Task] = []
        self._heard = False

        def steady() -> float:
            return world.scheduler.clock / 1000

        self.clock = StorageClock(
            wall=lambda: world.scheduler.now().timestamp() + skew_seconds, steady=steady
        )

    @cached_property
    def services(self) -> Services:
        return self.world.services_of(self)

    def call(
        self, point: Point, method: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]
    ) -> Any:
        """A call of a port, whatever becomes of it."""
        if not self.alive:
            raise Died
        world = self.world
        if world.scheduler.between is not None:
            world.scheduler.between()
        world.scheduler.clock += 1
        if not self._heard:
            self.hear()
        option = world.choices.at(point)
        if option is None:
            return method(*arguments, **named)
        return option.act(Call(self, method, arguments, named))

    def hear(self) -> None:
        """An answer of storage's says what time it is there."""
        self._heard = True
        scheduler = self.world.scheduler
        date = format_datetime(scheduler.now().replace(microsecond=0), usegmt=True)
        self.clock.heard(date, started=self.clock.started())

    def still_here(self, call: Call) -> Any:
        """The call after a pause in which the process may have died."""
        if not self.alive:
            raise Died
        return call()

    def start(self, name: str, run: Callable[[], None]) -> Task:
        task = self.world.scheduler.spawn(name, self, run)
        self.tasks.append(task)
        return task

    def die(self) -> None:
        """With all that it was at, and all that it knew."""
        self.alive = False
        for task in self.tasks:
            if not task.over:
                self.world.scheduler.end(task)
        self.world.lost(self)
        self.world.sweep_soon()

    @contextmanager
    def heartbeat(self, lease: Any, renew: Callable[[Any], Any], *, every_seconds: float) -> Iterator[None]:
        """As `shared.ledger.lease.heartbeat`, whose thread is a task here."""
        scheduler, over, beating, timer = self.world.scheduler, False, False, Timer(None)
        waiting: Task | None = None

        def due() -> None:
            nonlocal timer, beating
            if over or not self.alive:
                return
            if scheduler.clock >= self.stalled_until and not beating:
                beating = True
                self.start("heartbeat", beat)
            timer = scheduler.after(every_seconds, due)

        def beat() -> None:
            nonlocal over, beating
            try:
                lease.row = renew(lease.row)
            except Conflict:
                over = True  # it had lapsed and was taken over; settling will find that out
            except Transient:
                pass  # the next beat may come soon enough
            finally:
                beating = False
                if waiting is not None:
                    scheduler.wake(waiting)

        timer = scheduler.after(every_seconds, due)
        try:
            yield
        finally:
            over = True
            timer.cancel()
            if beating and self.alive:
                waiting = scheduler.current
                scheduler.wait()


class Lock:
    """A lock among the tasks of one process, as `threading.Lock` is among threads."""

    def __init__(self, process: Callable[[], Process]) -> None:
        """process: the one whose task runs"""
        self._process, self._held = process, False
        self._waiting: deque[tuple[Scheduler, Task]] = deque()

    def __enter__(self) -> None:
        while self._held:
            process = self._process()
            if not process.alive:
                raise Died
            scheduler = process.world.scheduler
            assert scheduler.current is not None
            self._waiting.append((scheduler, scheduler.current))
            scheduler.wait()
        self._held = True

    def __exit__(self, *_: object) -> None:
        self._held = False
        while self._waiting:
            scheduler, task = self._waiting.popleft()
            if not task.over:
                return scheduler.wake(task)
