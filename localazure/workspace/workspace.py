"""One workspace: its settings, its documents, its storage, its runs and its deployments, put together."""

from __future__ import annotations

from dataclasses import dataclass

from localazure.workspace.blobs import Blobs
from localazure.workspace.engine import Engine
from localazure.workspace.events import RunEvents
from localazure.workspace.history import Runs
from localazure.workspace.hosting import Hosting
from localazure.workspace.identity import Issuer
from localazure.workspace.processes import Processes
from localazure.workspace.settings import Settings
from localazure.workspace.store import Store
from localazure.workspace.uris import Resolver


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """What every handler gets."""

    settings: Settings
    store: Store
    blobs: Blobs
    issuer: Issuer
    events: RunEvents
    runs: Runs
    resolver: Resolver
    engine: Engine
    hosting: Hosting
    processes: Processes

    def start(self) -> None:
        """Ends what an earlier life left running, then takes up its unfinished work."""
        self.processes.reap()
        self.events.start()
        self.engine.resume()
        self.hosting.resume()

    def stop(self) -> None:
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
    events = RunEvents(settings, store)
    runs = Runs(settings, store, events)
    resolver = Resolver(settings, store, blobs)
    processes = Processes(settings.folder / "processes")
    engine = Engine(
        settings=settings,
        store=store,
        blobs=blobs,
        runs=runs,
        resolver=resolver,
        processes=processes,
        issuer=issuer,
    )
    hosting = Hosting(settings=settings, store=store, blobs=blobs, resolver=resolver, processes=processes)
    return Workspace(
        settings=settings, store=store, blobs=blobs, issuer=issuer, events=events, runs=runs,
        resolver=resolver, engine=engine, hosting=hosting, processes=processes,
    )  # fmt: skip
