"""A timer trigger: one run at a time, and a status blob by which a restarted host knows what it missed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from localazure.host import binding
from localazure.host.binding import Incoming
from localazure.host.blob import Blob
from localazure.host.errors import StorageUnavailable
from localazure.host.function import Function
from localazure.host.invoke import FunctionFailed, RetryContext
from localazure.host.listener import Listener
from localazure.host.retry import RetryPolicy
from localazure.host.runner import Runner
from localazure.host.schedule import Schedule
from localazure.host.singleton import Singleton
from localazure.host.storage import StorageFault

log = logging.getLogger("localazure.host.timers")
LOOK_SECONDS = 30.0
"""The clock is looked at this often: a machine that slept does not count its sleep as waiting."""
NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the blob says: the last run's start, the next run, and when this was written."""

    last: datetime
    next: datetime
    updated: datetime

    def told(self) -> dict[str, str]:
        moments = {"Last": self.last, "Next": self.next, "LastUpdated": self.updated}
        return {name: moment.isoformat() for name, moment in moments.items()}

    @classmethod
    def parse(cls, content: bytes) -> Status | None:
        """None for what is no status: the timer then starts as if it were new."""
        try:
            told = json.loads(content)
            last, following, updated = (_moment(told[name]) for name in ("Last", "Next", "LastUpdated"))
        except (ValueError, KeyError, TypeError):
            return None
        return cls(last=last, next=following, updated=updated)


class Memory:
    """The status in its blob; kept here only when there is no blob."""

    def __init__(self, blob: Blob | None) -> None:
        self._blob = blob
        self.status: Status | None = None

    async def prepare(self) -> None:
        """Read what the last host left; raises StorageUnavailable."""
        if self._blob is None:
            return
        await self._blob.create_container()
        content = await self._blob.read()
        self.status = Status.parse(content) if content else None

    def told(self) -> dict[str, str] | None:
        """What a run is told: nothing, unless the status is kept."""
        return self.status.told() if self._blob and self.status else None

    async def save(self, status: Status) -> None:
        self.status = status
        if not self._blob:
            return
        try:
            await self._blob.write(json.dumps(status.told()).encode())
        except StorageFault as problem:  # the next tick writes it again; a missed one may be caught up twice
            log.warning("A timer's status was not written (%s).", problem)


class TimerListener(Listener):
    """Serves one function by the clock."""

    def __init__(
        self,
        *,
        function: Function,
        schedule: Schedule,
        blob: Blob | None,
        lock: Singleton | None = None,
        run_on_startup: bool,
        retry: RetryPolicy | None,
        runner: Runner,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self._function, self._schedule = function, schedule
        self._memory = Memory(blob)
        self._lock = lock
        self._run_on_startup = run_on_startup
        self._began = False
        self._retry = retry
        self._runner = runner
        self._now = now

    async def prepare(self) -> None:
        await self._memory.prepare()
        if self._lock:
            await self._lock.prepare()

    async def run(self) -> None:
        """Catch up what was missed, then run at each of the schedule's times, while the lock is ours.

        The next time counts from the start of a run: one that outlasts its interval is followed at once by
        another, and the times between are lost.
        """
        while not self.stopping:
            if self._lock and not self._lock.is_held:
                await self._lock.acquire(self.bell, lambda: self.stopping)
                await self._read_again()
            if not self.stopping:
                await self._tick_by_the_clock()
        if self._lock:
            await self._lock.release()

    async def _read_again(self) -> None:
        """Another host may have ticked while we waited for the lock."""
        try:
            await self._memory.prepare()
        except StorageUnavailable as problem:
            log.warning("%s", problem)

    async def _tick_by_the_clock(self) -> None:
        """Until stopped, or until the lock is lost."""
        due = await self._begin()
        while not self.stopping and (self._lock is None or self._lock.is_held):
            wait = (due - self._now()).total_seconds()
            if wait > 0:
                await self.bell.wait(min(wait, LOOK_SECONDS))
                continue
            due = await self._tick(past_due=False)

    async def _begin(self) -> datetime:
        status, now = self._memory.status, self._now()
        if status is None:
            status = Status(last=NEVER, next=self._schedule.following(now), updated=NEVER)
            await self._memory.save(status)
        elif self._is_another(status, now):
            log.info("%s has another schedule than before.", self._function.name)
            status = Status(last=status.last, next=self._schedule.following(now), updated=now)
            await self._memory.save(status)
        elif now > status.next:
            return await self._tick(past_due=True)
        if self._run_on_startup and not self._began:
            self._began = True
            return await self._tick(past_due=False)
        return status.next

    def _is_another(self, status: Status, now: datetime) -> bool:
        """Whether the status is that of another schedule. Before the first run it does not say when it was written."""
        if status.updated != NEVER:
            return self._schedule.following(status.updated) != status.next
        is_ahead = status.next > now
        return not self._schedule.has(status.next) or (
            is_ahead and self._schedule.following(now) < status.next
        )

    async def _tick(self, *, past_due: bool) -> datetime:
        """One run; the time of the next. A failed run counts as run."""
        began = self._now()
        value = binding.timer_request(status=self._memory.told(), past_due=past_due)
        await self._until_it_succeeds(value)
        following = self._schedule.following(began)
        await self._memory.save(Status(last=began, next=following, updated=began))
        return following

    async def _until_it_succeeds(self, value: Incoming) -> None:
        attempt = 0
        while True:
            tried = RetryContext(attempt, self._retry.most if self._retry else 0)
            try:
                await self._runner.run(self._function, value, retry=tried)
            except FunctionFailed:
                if self._retry is None or attempt == self._retry.most or self.stopping:
                    return
            else:
                return
            await self.bell.wait(self._retry.delay(attempt))
            attempt += 1


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
