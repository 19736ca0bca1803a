"""Virtual time and cooperative tasks: one runs at a time, until it waits or gives way, and time passes only between.

Tasks are greenlets, so that the code under test, which knows nothing of it, may be stopped in the middle of any call of a
port, and go on later, or never.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from greenlet import getcurrent, greenlet

from simulation.choices import Choices, Option, Point

EPOCH = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


class Died(BaseException):
    """The process is gone: no `except` of the code under test may see it coming."""


class Task:
    """Something that a process is at."""

    __slots__ = ("greenlet", "name", "over", "owner")

    def __init__(self, name: str, owner: Any, made: greenlet) -> None:
        self.name, self.owner, self.over, self.greenlet = name, owner, False, made


@dataclass
class Timer:
    """Something that is due at a time, unless it is cancelled."""

    due: Callable[[], None] | None

    def cancel(self) -> None:
        self.due = None


def _another_first(scheduler: Scheduler) -> None:
    scheduler.ready.rotate(-1)


def _last_first(scheduler: Scheduler) -> None:
    scheduler.ready.rotate(1)


NEXT = Point(
    "next task:", (Option("the second first", _another_first), Option("the last first", _last_first))
)


class Scheduler:
    """Runs what is ready, first in, first out; when nothing is, the clock goes on to what is due next."""

    def __init__(self, choices: Choices, *, clock: int = 0) -> None:
        """clock: milliseconds since EPOCH"""
        self.choices, self.clock = choices, clock
        self._now = (clock, EPOCH + timedelta(milliseconds=clock))
        self.ready: deque[Task] = deque()
        self.current: Task | None = None
        self._timers: list[tuple[int, int, Timer]] = []
        self._sequence = 0
        self._hub = getcurrent()
        self.between: Callable[[], None] | None = None
        """What looks on before each call of a port; it takes no time, and is no choice point."""

    def now(self) -> datetime:
        if self._now[0] != self.clock:
            self._now = (self.clock, EPOCH + timedelta(milliseconds=self.clock))
        return self._now[1]

    def spawn(self, name: str, owner: Any, run: Callable[[], None]) -> Task:
        task = Task(name, owner, greenlet(run, self._hub))
        self.ready.append(task)
        return task

    def after(self, seconds: float, due: Callable[[], None]) -> Timer:
        timer = Timer(due)
        self._sequence += 1
        heapq.heappush(self._timers, (self.clock + round(seconds * 1000), self._sequence, timer))
        return timer

    # --- called by tasks ----------------------------------------------------------------------------------

    def give_way(self) -> None:
        """Everybody else who is ready goes first."""
        task = self._running()
        self.ready.append(task)
        self._hub.switch()

    def sleep(self, seconds: float) -> None:
        task = self._running()
        self.after(seconds, lambda: self.wake(task))
        self._hub.switch()

    def wait(self) -> None:
        """Until somebody wakes it."""
        self._running()
        self._hub.switch()

    def wake(self, task: Task) -> None:
        """It goes on, behind all who are ready."""
        if not task.over:
            self.ready.append(task)

    def _running(self) -> Task:
        assert self.current is not None
        return self.current

    # --- called by the one who runs them -------------------------------------------------------------------

    def run(self, *, until: int | None = None) -> None:
        """Until nothing is ready or due; until: milliseconds since EPOCH, later things stay"""
        while True:
            while self.ready:
                self._step()
            if not self._timers or (until is not None and self._timers[0][0] > until):
                break
            at, _, timer = heapq.heappop(self._timers)
            if timer.due is not None:
                self.clock = max(self.clock, at)
                timer.due()
        if until is not None:
            self.clock = max(self.clock, until)

    def _step(self) -> None:
        if len(self.ready) > 1 and (other := self.choices.at(NEXT)) is not None:
            other.act(self)
        task = self.ready.popleft()
        if task.over:
            return
        self.current = task
        try:
            task.greenlet.switch()
        except Died:
            task.over = True
        finally:
            self.current = None
        task.over = task.over or task.greenlet.dead

    def end(self, task: Task) -> None:
        """Its process died. What it leaves by `finally` finds that no port answers any more."""
        task.over = True
        if task is not self.current and not task.greenlet.dead:
            before, self.current = self.current, task
            task.greenlet.parent = getcurrent()  # it ends here, and not in the hub
            try:
                task.greenlet.throw(Died)
            except Died:
                pass
            finally:
                self.current = before
