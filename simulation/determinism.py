"""Chance, clocks and threads of the code under test: all that would make two runs of one schedule differ, in one place.

While `installed`, the modules of the product that draw ids, sleep, lock or ask for the time get the simulation's.
A test reads the product's source and holds this list to be whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Protocol

import shared.adapters.queues as adapters_queues
import shared.domain.trace as domain_trace
import shared.ledger.append_log as ledger_append_log
import shared.ledger.change_token as ledger_change_token
import shared.ledger.claims as ledger_claims
import shared.ledger.outbox as ledger_outbox
import shared.ledger.records as ledger_records
import shared.telemetry.spans as telemetry_spans
from shared import telemetry, wiring
from shared.domain.tables import columnar
from shared.procedures import endpoint_probe
from shared.steps import deliver_alerts, try_channels
from simulation import remembered
from simulation.choices import Random
from simulation.processes import Lock, Process
from simulation.scheduler import Scheduler


class Running(Protocol):
    """Of the world, what the product's modules are given."""

    scheduler: Scheduler
    random: Random


_world: Running | None = None


def world() -> Running:
    """The one that runs."""
    assert _world is not None
    return _world


@contextmanager
def running(now: Running) -> Iterator[None]:
    """What the product asks for is this world's."""
    global _world  # noqa: PLW0603  (the modules of the product ask for what is, too)
    before, _world = _world, now
    try:
        yield
    finally:
        _world = before


def process() -> Process:
    """The one whose task runs."""
    task = world().scheduler.current
    assert task is not None
    owner: Process = task.owner
    return owner


class _Datetime(datetime):
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return world().scheduler.now()


def _seconds() -> float:
    return world().scheduler.clock / 1000


def _chance() -> Random:
    """The world's; who only looks at one from outside draws from nothing that counts."""
    return _world.random if _world else Random()


_secrets = SimpleNamespace(
    token_hex=lambda size: _chance().hexadecimal(size), randbelow=lambda bound: _chance().below(bound)
)


def _sleep(seconds: float) -> None:
    world().scheduler.sleep(seconds)


def _nanoseconds() -> int:
    return world().scheduler.clock * 1_000_000


_time = SimpleNamespace(sleep=_sleep, monotonic=_seconds, time_ns=_nanoseconds)
_threading = SimpleNamespace(Lock=lambda: Lock(process))


class Pool:
    """As `concurrent.futures.ThreadPoolExecutor`, one after the other: which thread is the quicker is no choice of ours."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, do: Callable[..., Any], *given: Any, **named: Any) -> Future[Any]:
        made: Future[Any] = Future()
        try:
            made.set_result(do(*given, **named))
        except Exception as problem:  # noqa: BLE001  (it is raised where the result is asked for)
            made.set_exception(problem)
        return made

    def map(self, do: Callable[..., Any], *given: Iterable[Any]) -> Iterator[Any]:
        return map(do, *given)


REPLACED: tuple[tuple[Any, str, Any], ...] = (
    (domain_trace, "token_hex", _secrets.token_hex),
    (ledger_change_token, "secrets", _secrets),
    (ledger_outbox, "secrets", _secrets),
    (ledger_outbox, "threading", _threading),
    (ledger_records, "Lock", lambda: Lock(process)),
    (ledger_append_log, "time", _time),
    (ledger_append_log, "random", SimpleNamespace(uniform=lambda least, most: most)),
    (ledger_append_log, "datetime", _Datetime),
    (ledger_claims, "secrets", _secrets),
    (ledger_claims, "heartbeat", lambda lease, renew, **how: process().heartbeat(lease, renew, **how)),
    (columnar, "ThreadPoolExecutor", Pool),
    (deliver_alerts, "ThreadPoolExecutor", Pool),
    (try_channels, "ThreadPoolExecutor", Pool),
    (adapters_queues, "secrets", _secrets),
    (adapters_queues, "threading", _threading),
    (telemetry, "time", _time),
    (telemetry_spans, "time", _time),
    (endpoint_probe, "time", _time),
    (wiring, "services", lambda: process().services),
    *remembered.REPLACED,
)


def install() -> None:
    """For this process, from now on."""
    for module, name, value in REPLACED:
        setattr(module, name, value)


@contextmanager
def installed() -> Iterator[None]:
    """For a while: tests share their process with others."""
    before = [(module, name, vars(module)[name]) for module, name, _ in REPLACED]
    install()
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
