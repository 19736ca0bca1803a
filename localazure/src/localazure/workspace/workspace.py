"""Composition root: one workspace with its settings, documents, storage, runs and deployments, put together."""

from __future__ import annotations

import shutil
from collections import Counter, deque
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from localazure.access.access import Access
from localazure.strict import Strict
from localazure.workspace.engine.engine import Engine
from localazure.workspace.engine.one_at_a_time import OneAtATime
from localazure.workspace.engine.operations import Operations
from localazure.workspace.engine.transitions import Transitions
from localazure.workspace.history.events import RunEvents
from localazure.workspace.history.runs import Runs
from localazure.workspace.hosting.deployments import DEPLOYMENTS, Hosting
from localazure.workspace.identity.guard import COMPUTE, ENDPOINT, Guard
from localazure.workspace.identity.issuer import Issuer
from localazure.workspace.processes.children import Processes
from localazure.workspace.scheduling.clock import Clock
from localazure.workspace.scheduling.timetable import Timetable
from localazure.workspace.settings import Settings
from localazure.workspace.store.blobs import Blobs
from localazure.workspace.store.documents import Store
from localazure.workspace.store.uris import Resolver
from localazure.workspace.wire.calls import Json
from localazure.workspace.wire.faults import Faults

MOST_TOLD = 2000
"""Envelopes of telemetry that can be seen."""


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """What every handler gets."""

    settings: Settings
    store: Store
    blobs: Blobs
    issuer: Issuer
    guard: Guard
    events: RunEvents
    runs: Runs
    resolver: Resolver
    engine: Engine
    hosting: Hosting
    processes: Processes
    clock: Clock
    timetable: Timetable
    operations: Operations
    one_at_a_time: OneAtATime
    strict: Strict
    faults: Faults
    transitions: Transitions
    calls: Counter[str]
    told: deque[Any] = field(default_factory=partial(deque, maxlen=MOST_TOLD))
    """What was told to Application Insights: the newest envelopes. They outlive no process."""

    def start(self) -> None:
        """Ends what an earlier life left running, then takes up its unfinished work."""
        self.processes.reap()
        self.events.start()
        self.engine.resume()
        self.hosting.resume()

    def wipe(self) -> None:
        """Ends all work and forgets every document; the files in storage stay."""
        self.engine.end_all()
        for deployment in self.store.all(DEPLOYMENTS):
            self.hosting.remove(deployment["endpoint"], deployment["name"])
        self.store.clear()
        shutil.rmtree(self.settings.folder / "runs", ignore_errors=True)

    def stop(self) -> None:
        self.timetable.stop()
        self.engine.stop()
        self.hosting.stop()
        self.events.stop()
        self.blobs.close()
        self.store.close()


def assemble(settings: Settings, identity_header: str | None = None) -> Workspace:
    """Everything wired, nothing started."""
    store = Store(settings.folder / "workspace.db")
    blobs = Blobs(settings.storage)
    issuer = Issuer(settings.folder / "identity-header", identity_header)
    strict = Strict(settings.strict)
    access = (
        Access(settings.access, "workspace", late_seconds=strict.late_seconds) if settings.access else None
    )
    guard = Guard(access, issuer, settings)
    events = RunEvents(settings, store)
    runs = Runs(settings, store, events)
    resolver = Resolver(settings, store, blobs)
    processes = Processes(settings.folder / "processes")
    transitions = Transitions(store)
    engine = Engine(
        settings=settings,
        store=store,
        blobs=_files_of(blobs, guard, COMPUTE, settings),
        runs=runs,
        resolver=resolver,
        processes=processes,
        guard=guard,
        transitions=transitions,
    )
    hosting = Hosting(
        settings=settings,
        store=store,
        blobs=_files_of(blobs, guard, ENDPOINT, settings),
        guard=guard,
        resolver=resolver,
        processes=processes,
        deployed=events.model_deployed,
    )
    clock = Clock()
    operations = Operations(settings, store)
    operations.watch("deployment", partial(_deployed, store))
    operations.watch("cancel", runs.ended)
    return Workspace(
        settings=settings, store=store, blobs=blobs, issuer=issuer, guard=guard, events=events, runs=runs,
        resolver=resolver, engine=engine, hosting=hosting, processes=processes,
        clock=clock, timetable=Timetable(store, clock), operations=operations,
        one_at_a_time=OneAtATime(strict, operations), strict=strict, faults=Faults(), transitions=transitions,
        calls=Counter(),
    )  # fmt: skip


def _files_of(blobs: Blobs, guard: Guard, what: str, settings: Settings) -> Blobs:
    """Storage as what acts in the workspace's name meets it: by its own identity, where roles count."""
    if guard.access is None:
        return blobs
    return blobs.by_identity(
        guard.access.book.endpoints["blob"], partial(guard.storage_token, what), trusted=settings.bundle
    )


def _deployed(store: Store, subject: Json) -> tuple[str, str | None]:
    """How far a deployment is; one that was deleted meanwhile will not come any more."""
    found = store.get(DEPLOYMENTS, subject["deployment"])
    if found is None:
        return "Failed", f"the deployment {subject['deployment']} was deleted meanwhile"
    states = {"Succeeded": "Succeeded", "Failed": "Failed"}
    return states.get(found["state"], "InProgress"), found["problem"]
