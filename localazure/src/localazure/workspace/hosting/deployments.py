"""All deployments that serve: which process stands behind which, and how far each has come."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator

from localazure.workspace.hosting.request_counts import RequestCounts
from localazure.workspace.hosting.server import Hosted, Means
from localazure.workspace.identity.guard import Guard
from localazure.workspace.planning.pipeline import Planner
from localazure.workspace.processes.children import Processes
from localazure.workspace.processes.environments import Environments
from localazure.workspace.settings import Settings
from localazure.workspace.store.blobs import Blobs
from localazure.workspace.store.documents import Store
from localazure.workspace.store.uris import Resolver
from localazure.workspace.wire.calls import Json, Refusal

DEPLOYMENTS = "onlineDeployments"
_BUILDS_AT_ONCE = max(2, os.cpu_count() or 2)
_LONGEST_REQUEST_SECONDS = 180.0  # Azure's largest request timeout


class Hosting:
    """The store says what should serve; this makes it so."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        blobs: Blobs,
        guard: Guard,
        resolver: Resolver,
        processes: Processes,
        deployed: Callable[[Json], None],
    ) -> None:
        """`deployed` is told of each deployment that serves and did not before."""
        self._folder, self._store, self._deployed = settings.folder / "hosting", store, deployed
        self._means = Means(
            blobs=blobs,
            guard=guard,
            resolver=resolver,
            planner=Planner(store),
            environments=Environments(settings.environments),
            processes=processes,
            builds=threading.BoundedSemaphore(_BUILDS_AT_ONCE),
        )
        self.requests = RequestCounts()
        self._lock = threading.Lock()
        self._serving: dict[str, Hosted] = {}
        self._coming: dict[str, Hosted] = {}
        self._leaving: set[Hosted] = set()

    def deploy(self, deployment: Json, *, served: bool = False) -> None:
        """Starts a server for it; the one that serves now goes on until the new one answers.

        served: this very deployment has, before the workspace was started again, and is what serves until a new one does
        """
        key = f"{deployment['endpoint']}/{deployment['name']}"
        folder = self._folder / key / uuid.uuid4().hex[:8]
        folder.mkdir(parents=True)
        coming = Hosted(self._means, deployment, folder, tell=self._told, served=served)
        with self._lock:
            where = self._serving if served else self._coming
            before = where.pop(key, None)
            where[key] = coming
        if before:
            before.stop()
        coming.start()

    def remove(self, endpoint: str, name: str) -> None:
        key = f"{endpoint}/{name}"
        with self._lock:
            gone = [self._coming.pop(key, None), self._serving.pop(key, None)]
        for one in gone:
            if one:
                one.stop()
        shutil.rmtree(self._folder / key, ignore_errors=True)

    @contextlib.contextmanager
    def asking(self, endpoint: str, name: str, *, most: int) -> Iterator[Hosted | None]:
        """The server of a deployment, which may still be on its way up after a restart; one that is replaced
        meanwhile is not stopped before this ends.

        raises: Refusal (429) when `most` requests ask it already
        """
        key = f"{endpoint}/{name}"
        with self._lock:
            hosted = self._serving.get(key) or self._coming.get(key)
            if hosted and not hosted.requests.begin(most):
                raise Refusal(
                    429, "TooManyRequests", f"{key} has {most} requests in flight, which is all it takes"
                )
        try:
            yield hosted
        finally:
            if hosted:
                hosted.requests.end()

    def log(self, endpoint: str, name: str, lines: int) -> str:
        file = self._folder / endpoint / name / "console.log"
        if not file.exists():
            return ""
        text = file.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def resume(self) -> None:
        """Everything that served or was being made is started again, from fresh copies; also what served before a change
        that failed, or that was cut short."""
        for left in self._folder.glob("*/*/*/"):
            shutil.rmtree(left, ignore_errors=True)
        for deployment in self._store.all(DEPLOYMENTS):
            state, serving = deployment["state"], deployment.get("serving")
            if state == "Succeeded":
                self.deploy(deployment, served=True)
            elif serving:
                self.deploy(deployment | serving, served=True)
            if state not in ("Succeeded", "Failed"):
                self.deploy(deployment)

    def stop(self) -> None:
        with self._lock:
            all_of_them = [*self._coming.values(), *self._serving.values(), *self._leaving]
            self._coming.clear()
            self._serving.clear()
        for one in all_of_them:
            one.stop()

    def _told(self, hosted: Hosted, problem: str | None) -> None:
        key = f"{hosted.deployment['endpoint']}/{hosted.deployment['name']}"
        with self._lock:
            serving, coming = self._serving.get(key), self._coming.get(key)
            if hosted not in (coming, serving):
                return  # replaced or removed meanwhile
            if hosted is coming:
                self._coming.pop(key)
            replaced = serving if problem is None and serving is not hosted else None
            if replaced:
                self._leaving.add(replaced)
            if problem is None:
                self._serving[key] = hosted
            elif serving is hosted:
                self._serving.pop(key)
        self._write_down(key, hosted, problem)
        if replaced:
            replaced.requests.wait_for_none(_LONGEST_REQUEST_SECONDS)
            replaced.stop()
            with self._lock:
                self._leaving.discard(replaced)

    def _write_down(self, key: str, hosted: Hosted, problem: str | None) -> None:
        """What serves, and what became of the deployment as it was asked for last: a server from before that change says
        nothing of it."""
        version = {name: hosted.deployment[name] for name in ("properties", "made")}
        states: list[str] = []

        def move(one: Json) -> None:
            if problem is None:
                one.update(served=True, serving=version)
            if one["made"] == version["made"]:
                states.append(one["state"])
                one.update(state="Succeeded" if problem is None else "Failed", problem=problem)

        with self._store.together():
            now = self._store.change(DEPLOYMENTS, key, move)
            if now and problem is None and states not in ([], ["Succeeded"]):
                self._deployed(now)
