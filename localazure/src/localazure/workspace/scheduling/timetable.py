"""The thread that fires schedules: each time of each schedule once, through kills and restarts too."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from localazure.workspace.scheduling.clock import Clock
from localazure.workspace.scheduling.triggers import trigger_of
from localazure.workspace.store.documents import Store
from localazure.workspace.wire.calls import Json, Refusal

log = logging.getLogger(__name__)
SCHEDULES = "schedules"
_PAUSE_SECONDS = 1.0
"""Before the next try, when the schedules cannot be read or written."""
_REMEMBERED = 100
_STILL_ON_TIME = timedelta(seconds=60)
"""A time that passed this short while ago, while nobody was there, is made up for; older ones are not."""

Fire = Callable[[Json, datetime], str]
"""Starts a schedule's job for an instant and gives the job's name; again for the same instant: nothing new."""


class Timetable:
    """The store says when each schedule fires next; this waits, fires and writes down the time after."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, fire: Fire) -> None:
        self.reckon_anew()
        self._thread = threading.Thread(target=self._run, args=(fire,), name="schedules", daemon=True)
        self._thread.start()

    def reckon_anew(self) -> None:
        """Of each schedule the time it fires next, by the clock as it is: it may have been put forward before, and times
        that were missed for long are passed over."""
        now = self._clock.now()

        def reckon(one: Json) -> None:
            one["begun"] = text(min(moment(one["begun"]), now))
            set_next(one, now)

        for schedule in self._store.all(SCHEDULES):
            due = schedule["next"] and now - _STILL_ON_TIME <= moment(schedule["next"]) <= now
            if not due:
                self._store.change(SCHEDULES, schedule["name"], reckon)
        self._clock.stir()

    def stop(self) -> None:
        self._stopped.set()
        self._clock.stir()
        if self._thread:
            self._thread.join(5)

    def _run(self, fire: Fire) -> None:
        while not self._stopped.is_set():
            try:
                self._turn(fire)
            except Exception:  # the border of a thread: a full disk must not end all schedules for good
                log.exception("the schedules; they go on")
                self._stopped.wait(_PAUSE_SECONDS)

    def _turn(self, fire: Fire) -> None:
        """Fires what is due, or waits until something is."""
        turned, earliest = self._clock.turned, None
        for schedule in self._store.all(SCHEDULES):
            due = moment(schedule["next"]) if schedule["next"] and schedule["enabled"] else None
            if due and due <= self._clock.now():
                self._tick(fire, schedule, due)
                return  # and look again: firing took time
            if due and (earliest is None or due < earliest):
                earliest = due
        if not self._stopped.is_set():
            self._clock.wait(earliest, turned)

    def _tick(self, fire: Fire, schedule: Json, due: datetime) -> None:
        """Fires, then writes down: a kill in between fires the same instant again, which starts nothing."""
        entry: Json = {"scheduledTime": text(due), "job": None, "problem": None}
        try:
            entry["job"] = fire(schedule, due)
        except Refusal as refused:
            log.warning("the schedule %s did not fire: %s", schedule["name"], refused)
            entry["problem"] = refused.message
        except Exception as failed:  # the border of a thread: the other schedules must go on
            log.exception("the schedule %s", schedule["name"])
            entry["problem"] = f"the emulator failed: {type(failed).__name__}: {failed}"

        def note(one: Json) -> None:
            remember(one, entry)
            if one["next"] == text(due):  # nobody wrote another time meanwhile
                set_next(one, max(due, self._clock.now()))

        self._store.change(SCHEDULES, schedule["name"], note)


def set_next(schedule: Json, after: datetime) -> None:
    """Writes down the first time later than `after`."""
    trigger = trigger_of(schedule["properties"]["trigger"], made=moment(schedule["begun"]))
    found = trigger.next_after(after)
    schedule["next"] = text(found) if found else None


def remember(schedule: Json, entry: Json) -> None:
    """The newest last; the oldest are forgotten."""
    schedule["history"] = [*schedule["history"], entry][-_REMEMBERED:]


def text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(written: str) -> datetime:
    return datetime.fromisoformat(written)
