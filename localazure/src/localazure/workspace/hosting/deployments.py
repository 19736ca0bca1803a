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

        served: this very deployment has, before the workspace was started again
        """
        key = f"{deployment['endpoint']}/{deployment['name']}"
        folder = self._folder / key / uuid.uuid4().hex[:8]
        folder.mkdir(parents=True)
        coming = Hosted(self._means, deployment, folder, tell=self._told, served=served)
        with self._lock:
            before = self._coming.pop(key, None)
            self._coming[key] = coming
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
        """Everything that served or was being made is started again, from fresh copies."""
        for left in self._folder.glob("*/*/*/"):
            shutil.rmtree(left, ignore_errors=True)
        for deployment in self._store.all(DEPLOYMENTS):
            if deployment["state"] != "Failed":
                self.deploy(deployment, served=deployment["state"] == "Succeeded")

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
            serving = self._serving.get(key)
            if hosted not in (self._coming.get(key), serving):
                return  # replaced or removed meanwhile
            self._coming.pop(key, None)
            replaced = serving if problem is None and serving is not hosted else None
            if replaced:
                self._leaving.add(replaced)
            if problem is None:
                self._serving[key] = hosted
            elif serving is hosted:
                self._serving.pop(key)
        state: Json = {"state": "Succeeded" if problem is None else "Failed", "problem": problem}
        state |= {"served": True} if problem is None else {}
        states: list[str] = []

        def move(one: Json) -> None:
            states.append(one["state"])
            one.update(state)

        now = self._store.change(DEPLOYMENTS, key, move)
        if now and problem is None and states != ["Succeeded"]:
            self._deployed(now)
        if replaced:
            replaced.requests.wait_for_none(_LONGEST_REQUEST_SECONDS)
            replaced.stop()
            with self._lock:
                self._leaving.discard(replaced)
