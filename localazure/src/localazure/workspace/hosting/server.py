"""One deployment's inference server: model and code fetched, process started, watched, started again when it ends."""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localazure.access.access import Refused
from localazure.ports import is_free, lasting_port
from localazure.workspace.identity.guard import ENDPOINT, Guard
from localazure.workspace.planning.pipeline import Planner
from localazure.workspace.processes.children import Processes, last_lines
from localazure.workspace.processes.environments import EnvironmentFailed, Environments, Way
from localazure.workspace.processes.stopping import Stop, Stopped
from localazure.workspace.store.blobs import Blobs, NothingThere, Place
from localazure.workspace.store.uris import Resolver, UnknownPath
from localazure.workspace.wire.calls import Refusal
from localazure.workspace.wire.timestamps import now

log = logging.getLogger(__name__)
SECONDS_TO_START = 60.0
_NOT_FOR_SERVERS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "IDENTITY_HEADER", "GUNICORN_CMD_ARGS")
_LINES_IN_ERROR = 40  # the server says much after the exception that matters
LOOPBACK = Path(__file__).with_name("loopback.py")


class HostingFailed(Exception):
    """A deployment's server did not come up; the message ends with its log."""


@dataclass(frozen=True, kw_only=True)
class Means:
    """What hosting needs of the workspace."""

    blobs: Blobs
    guard: Guard
    resolver: Resolver
    planner: Planner
    environments: Environments
    processes: Processes
    builds: threading.Semaphore
    """For environments under construction: beside those of jobs, which could be many."""


class InFlight:
    """How many requests a server has that are not answered yet."""

    def __init__(self) -> None:
        self._changed, self._count = threading.Condition(), 0

    def begin(self, most: int) -> bool:
        """False when there are so many already."""
        with self._changed:
            if self._count >= most:
                return False
            self._count += 1
            return True

    def end(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def wait_for_none(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._count == 0, seconds)


class Hosted:
    """`ready` and `port` say where it serves; `ended` calls back once when it will never serve."""

    def __init__(
        self,
        means: Means,
        deployment: dict[str, Any],
        folder: Path,
        *,
        tell: Callable[[Hosted, str | None], None],
        served: bool = False,
    ) -> None:
        """served: by an earlier life of this workspace, as it is"""
        self._means, self.deployment, self._folder, self._tell = means, deployment, folder, tell
        self.ready = threading.Event()
        self.requests = InFlight()
        self._served, self._pause = served, 1.0
        self.port = 0
        self.log = folder.parent / "console.log"
        self._stop = Stop(means.processes)
        self._child: subprocess.Popen[bytes] | None = None
        # The thread stays as long as the server does: the child's life is tied to it.
        self._thread = threading.Thread(target=self._serve, name=f"hosting {deployment['name']}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends whatever it is at: its environment's construction, or its server."""
        self._stop.ask(cancel=True)
        self.ready.clear()
        self._end_child()
        self._thread.join(10)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end_child(self) -> None:
        child = self._child
        if child is not None:
            self._means.processes.end(child)

    def _serve(self) -> None:
        """The first start decides whether the deployment succeeded; one that has served is started until it serves."""
        while not self._stop.asked:
            try:
                self._run(*self._prepare())
            except Stopped:
                return
            except Exception as failed:  # the border of a thread: whatever it was, the deployment says so
                if not isinstance(
                    failed, HostingFailed | Refused | NothingThere | UnknownPath | EnvironmentFailed | Refusal
                ):
                    log.exception("hosting %s", self.deployment["name"])
                self.ready.clear()
                self._end_child()
                if self._stop.asked:
                    return
                if not self._served:
                    self._say(f"failed: {failed}")
                    self._tell(self, str(failed))
                    return
                self._say(f"it did not start again, and is tried once more: {failed}")
                self._wait()

    def _run(self, command: list[str], environment: dict[str, str]) -> None:
        while not self._stop.asked:
            self._start_process(command, environment)
            if not self.ready.is_set():
                self.ready.set()
                self._served = True
                self._report()
                self._tell(self, None)
            started = time.monotonic()
            code = self._child.wait() if self._child else 0
            if self._stop.asked:
                return
            self.ready.clear()
            self._say(f"the server ended with {code}; starting it again")
            if time.monotonic() - started > 60:
                self._pause = 0.5
            self._wait()

    def _wait(self) -> None:
        """Longer each time, for as long as it does not serve for a while."""
        self._pause = min(self._pause * 2, 30.0)
        self._stop.pause(self._pause)

    def _report(self) -> None:
        """A deployment that may not report its metrics serves all the same, as in Azure."""
        try:
            self._means.guard.reports_metrics()
        except Refused as problem:
            self._say(f"metrics are not reported: {problem}")

    def _prepare(self) -> tuple[list[str], dict[str, str]]:
        properties = self.deployment["properties"]
        configuration = properties["codeConfiguration"]
        shutil.rmtree(self._folder, ignore_errors=True)  # of a try before
        self._folder.mkdir(parents=True)
        code = self._fetch(
            self._means.planner.versioned("codes", configuration["codeId"])["properties"]["codeUri"], "code"
        )
        script = code / (configuration.get("scoringScript") or "score.py")
        if not script.is_file():
            raise HostingFailed(f"the code has no scoring script {configuration.get('scoringScript')}")
        model = self._fetch_model(properties.get("model"))
        python = self._interpreter(properties.get("environmentId"))
        if not (self.port and is_free(self.port)):
            self.port = lasting_port()
        command = [
            str(python), "-P", str(LOOPBACK), "--entry_script", str(script), "--port", str(self.port),
            "--model_dir", str(model),
        ]  # fmt: skip
        base = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_SERVERS}
        given = {"AZUREML_MODEL_DIR": str(model), "AML_APP_ROOT": str(code), "PYTHONUNBUFFERED": "1"}
        path = {"PATH": f"{python.parent}{os.pathsep}{base.get('PATH', os.defpath)}"}
        return command, base | path | given | (properties.get("environmentVariables") or {})

    def _fetch(self, uri: str, name: str) -> Path:
        place, folder = self._means.resolver.place(uri), self._folder / name
        if not isinstance(place, Place) or not self._means.blobs.download_folder(place, folder):
            raise HostingFailed(f"there is nothing at {uri}")
        return folder

    def _fetch_model(self, reference: str | None) -> Path:
        """AZUREML_MODEL_DIR: as in Azure it is called by the model's name and version, which the server looks at,
        and holds the model's folder (or file) under its own name."""
        models = self._folder / "azureml-models"
        if reference is None:
            models.mkdir()
            return models
        document = self._means.resolver.asset(reference)
        into = models / document["name"] / document["version"] if document else models / "model" / "1"
        into.mkdir(parents=True)
        uri = document["properties"]["modelUri"] if document else reference
        place = self._means.resolver.place(uri)
        if not isinstance(place, Place):
            raise HostingFailed(f"the model is at {uri}, which is not in this workspace's storage")
        name = Path(place.path.rstrip("/")).name
        if self._means.blobs.download_folder(place, into / name) == 0:
            (into / name).rmdir()
            self._means.blobs.download_file(place, into / name)
        return into

    def _interpreter(self, environment: str | None) -> Path:
        self._means.guard.pulls_image(ENDPOINT)
        conda = self._means.planner.environment(environment) if environment else None
        stop, builds = self._stop, self._means.builds
        way = Way(lines=stop.lines, check=stop.check, turn=lambda: stop.turn(builds))
        python = self._means.environments.interpreter(conda, self._say, way)
        looking = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
        command = [str(python), "-c", looking, "azureml_inference_server_http"]
        known = subprocess.run(command, capture_output=True, check=False)
        if known.returncode != 0:
            raise HostingFailed(
                "the environment lacks azureml-inference-server-http; add it to its conda file's pip lines"
            )
        return python

    def _start_process(self, command: list[str], environment: dict[str, str]) -> None:
        with self.log.open("ab") as log:
            child = self._means.processes.start(
                command, directory=Path(environment["AML_APP_ROOT"]), environment=environment, log=log
            )
        self._child = child
        deadline = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            if child.poll() is not None:
                self._means.processes.forget(child)
                raise HostingFailed(
                    f"the server ended with {child.returncode}; its log ends with:\n{self._log_end()}"
                )
            if time.monotonic() > deadline or self._stop.asked:
                self._means.processes.end(child)
                raise HostingFailed(
                    f"no answer in {SECONDS_TO_START:.0f} s; the log ends with:\n{self._log_end()}"
                )
            time.sleep(0.1)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _log_end(self) -> str:
        return last_lines(self.log, _LINES_IN_ERROR)

    def _say(self, line: str) -> None:
        # A full disk costs a line of the log, not the thread.
        with contextlib.suppress(OSError), self.log.open("a", encoding="utf-8") as written:
            written.write(f"{now()} {line}\n")
