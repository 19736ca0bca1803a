"""Executes one step of a job, for real: code, inputs and environment fetched, the command run, outputs sent back."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlretrieve

from azure.core.exceptions import HttpResponseError

from localazure.access.access import Refused
from localazure.proxies import without_proxy
from localazure.workspace.automl.mltable import BadTable
from localazure.workspace.engine.automl_run import NoModel, Searches, clean
from localazure.workspace.engine.outputs import Outputs
from localazure.workspace.engine.transitions import Transitions
from localazure.workspace.history.runs import Runs
from localazure.workspace.identity.bearer import MANAGEMENT
from localazure.workspace.identity.guard import COMPUTE, Guard
from localazure.workspace.planning.expressions import command_line
from localazure.workspace.planning.pipeline import Planner
from localazure.workspace.planning.plan import Source, Step
from localazure.workspace.processes.children import Processes, last_lines
from localazure.workspace.processes.environments import EnvironmentFailed, Environments, Way
from localazure.workspace.processes.stopping import Stop
from localazure.workspace.settings import Settings, stable_id
from localazure.workspace.store.blobs import Blobs, NothingThere, Place
from localazure.workspace.store.uris import ARTIFACTS, Resolver, UnknownPath, Web, artifacts_prefix
from localazure.workspace.wire.calls import Json, Refusal
from localazure.workspace.wire.timestamps import now

STEP_LOG = "user_logs/std_log.txt"
BUILD_LOG = "azureml-logs/20_image_build_log.txt"
LOG_PLACES = ("user_logs", "azureml-logs", "logs/azureml")
_LINES_IN_ERROR = 15
_NOT_FOR_STEPS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONSAFEPATH")


_PROBLEMS = (
    NothingThere, UnknownPath, EnvironmentFailed, Refusal, ValueError, URLError, BadTable, NoModel, Refused,
    HttpResponseError,
)  # fmt: skip


class StepFailed(Exception):
    """A step did not come to its end; the message is for whoever reads the run."""


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Runs steps; keeps nothing between them."""

    settings: Settings
    blobs: Blobs
    runs: Runs
    resolver: Resolver
    planner: Planner
    outputs: Outputs
    environments: Environments
    processes: Processes
    transitions: Transitions
    guard: Guard
    slots: threading.Semaphore
    """For what runs: as many steps as there are cores."""
    builds: threading.Semaphore
    """For environments under construction, which would hold the slots for minutes."""

    def folder(self, run_id: str) -> Path:
        return self.settings.folder / "runs" / run_id

    def run(self, run: Json, step: Step, stop: Stop) -> None:
        """Raises StepFailed, Decreed or Stopped; whatever happens, the logs are kept as artifacts."""
        folder = self.folder(run["runId"])
        if folder.exists():
            self._forget_earlier_life(run["runId"])
        shutil.rmtree(folder, ignore_errors=True)
        (folder / STEP_LOG).parent.mkdir(parents=True)
        try:
            self._run(run, step, stop, folder)
        except _PROBLEMS as cause:
            raise StepFailed(str(cause)) from cause
        finally:
            self.keep_logs(run["runId"])

    def forget(self, run_id: str) -> None:
        """What a deleted run left on disk. Its folder stays, empty: it says that storage still has files of such a run,
        which are cleared when one of its name begins."""
        folder = self.folder(run_id)
        if folder.exists():
            shutil.rmtree(folder)
            folder.mkdir()

    def _forget_earlier_life(self, run_id: str) -> None:
        """A kill cut it short, or it was deleted: what it logged would be in the way of what is logged now."""
        self.runs.forget_logged(run_id)
        self.blobs.delete_folder(Place(self.resolver.container_of(ARTIFACTS), artifacts_prefix(run_id)))

    def _run(self, run: Json, step: Step, stop: Stop, folder: Path) -> None:
        self._move(run, "Preparing", stop)
        if not self.transitions.runs_for_real(run):
            self._move(run, "Running", stop)
            self.give_outputs(run)
            return
        python = None if step.automl else self._interpreter(step, folder, stop)
        with stop.turn(self.slots):
            if python is None:
                self._search(run, step, stop, folder)
            else:
                self._command(run, step, stop, folder, python)

    def _command(self, run: Json, step: Step, stop: Stop, folder: Path, python: Path) -> None:
        """A step's command, from its code and inputs to its outputs."""
        code = self._fetch_code(step, folder)
        inputs = {name: self._input(run, name, source, folder) for name, source in step.inputs.items()}
        outputs = self._output_paths(run, step, folder)
        command = command_line(step.command, inputs, outputs)
        self._move(run, "Running", stop)
        with (folder / STEP_LOG).open("ab") as log:
            child = self.processes.start(
                [shutil.which("bash") or "sh", "-c", command],
                directory=code,
                environment=self._environment(run, step, python, inputs, outputs),
                log=log,
            )
            exit_code = stop.wait(child, seconds=step.timeout_seconds)
        self._keep_artifacts(run, code)
        if exit_code is None:
            raise StepFailed(f"the step did not end within its limit of {step.timeout_seconds:g} s")
        if exit_code != 0:
            raise StepFailed(
                f"exit code {exit_code}; the log ends with:\n{last_lines(folder / STEP_LOG, _LINES_IN_ERROR)}"
            )
        self._move(run, "Finalizing", stop)
        for name, target in step.outputs.items():
            self.outputs.keep(run, name, target, outputs[name])
        for bulky in ("code", "inputs", "outputs"):  # kept when a step fails, to be looked at
            shutil.rmtree(folder / bulky, ignore_errors=True)

    def _search(self, run: Json, step: Step, stop: Stop, folder: Path) -> None:
        """An AutoML step's work: another program looks for a model, its child runs say how."""
        self._move(run, "Running", stop)
        searches = Searches(
            blobs=self.blobs, runs=self.runs, resolver=self.resolver, processes=self.processes
        )
        uris = {name: self._uri(run, source) for name, source in step.inputs.items()}
        best = searches.search(run, step, uris=uris, stop=stop, folder=folder, log=folder / STEP_LOG)
        self._move(run, "Finalizing", stop)
        for name, target in step.outputs.items():
            self.outputs.keep(run, name, target, str(best))
        clean(folder)

    def _move(self, run: Json, status: str, stop: Stop) -> None:
        """Before a state is entered, whoever holds runs in states is asked."""
        self.transitions.hold(self.runs.get(run["runId"]), status, stop)
        stop.check()
        self.runs.set_status(run["runId"], status)

    def give_outputs(self, run: Json) -> None:
        """Those a rule tells for a run that does not run."""
        given = self.transitions.rule(run).get("outputs") or {}
        made = {
            name: {"uri": self.resolver.long_form(uri), "type": "uri_folder"} for name, uri in given.items()
        }
        self.runs.change(run["runId"], lambda one: one["outputs"].update(made))

    def _fetch_code(self, step: Step, folder: Path) -> Path:
        code = folder / "code"
        code.mkdir()
        if step.code:
            uri = self.planner.versioned("codes", step.code)["properties"]["codeUri"]
            place = self.resolver.place(uri)
            if not isinstance(place, Place) or not self.blobs.download_folder(place, code):
                raise NothingThere(f"the code at {uri} is gone")
        return code

    def _interpreter(self, step: Step, folder: Path, stop: Stop) -> Path:
        self.guard.pulls_image(COMPUTE)
        if not step.environment:
            return self.environments.interpreter(None, lambda line: None)
        log = folder / BUILD_LOG
        conda = self.planner.environment(step.environment)

        def progress(line: str) -> None:
            log.parent.mkdir(exist_ok=True)
            with log.open("a", encoding="utf-8") as written:
                written.write(f"{now()} {line}\n")

        way = Way(lines=stop.lines, check=stop.check, turn=lambda: stop.turn(self.builds))
        return self.environments.interpreter(conda, progress, way)

    def _input(self, run: Json, name: str, source: Source, folder: Path) -> str | None:
        """A literal as it is; a path as a local one; None for an optional input that was not given."""
        if source.kind == "absent":
            return None
        if source.kind == "literal":
            return source.value
        uri = self._uri(run, source)
        return uri if source.mode.lower() == "direct" else str(self._local(name, source, uri, folder))

    def _local(self, name: str, source: Source, uri: str, folder: Path) -> Path:
        """A file, or a folder; a model or a folder may turn out to be a single blob."""
        place, into = self.resolver.place(uri), folder / "inputs" / name
        if isinstance(place, Web):
            return _fetched(place, into)
        single = source.type == "uri_file" and not uri.endswith("/")
        if not single and self.blobs.download_folder(place, into):
            return into
        if not single and not self.blobs.exists(place):
            raise NothingThere(f"input {name!r}: there is nothing under {uri}")
        file = into / Path(place.path).name
        self.blobs.download_file(place, file)
        return file

    def _uri(self, run: Json, source: Source) -> str:
        if source.kind == "uri":
            return source.value
        maker = self.runs.get(step_run_id(run["rootRunId"], source.value))
        made = maker["outputs"].get(source.output)
        if made is None:
            raise NothingThere(f"the step {source.value!r} made no output {source.output!r}")
        uri: str = made["uri"]
        return uri

    def _output_paths(self, run: Json, step: Step, folder: Path) -> dict[str, str]:
        """Local paths, which are sent when the command has ended; of a `direct` output the place itself."""
        paths: dict[str, str] = {}
        for name, target in step.outputs.items():
            path = folder / "outputs" / name
            (path.parent if target.type == "uri_file" else path).mkdir(parents=True, exist_ok=True)
            paths[name] = self.outputs.uri(run, name, target) if target.mode == "direct" else str(path)
        return paths

    def _keep_artifacts(self, run: Json, code: Path) -> None:
        """What a command leaves in `outputs` and `logs` beside it belongs to its run, as in Azure."""
        container = self.resolver.container_of(ARTIFACTS)
        for name in ("outputs", "logs"):
            place = Place(container, f"{artifacts_prefix(run['runId'])}{name}")
            self.blobs.upload_folder(code / name, place)

    def _environment(
        self,
        run: Json,
        step: Step,
        python: Path,
        inputs: Mapping[str, str | None],
        outputs: Mapping[str, str],
    ) -> dict[str, str]:
        """What Azure ML sets for a step (MLflow logs to its run), and what makes SDKs find this workspace."""
        of = self.settings
        base = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_STEPS}
        given = {
            "PATH": f"{python.parent}{os.pathsep}{base.get('PATH', os.defpath)}",
            "PYTHONUNBUFFERED": "1",
            "AZUREML_RUN_ID": run["runId"],
            "AZUREML_ROOT_RUN_ID": run["rootRunId"],
            "AZUREML_ARM_SUBSCRIPTION": of.subscription,
            "AZUREML_ARM_RESOURCEGROUP": of.resource_group,
            "AZUREML_ARM_WORKSPACE_NAME": of.workspace,
            "AZUREML_EXPERIMENT_NAME": run["experiment"],
            "AZUREML_CURRENT_CLOUD": "AzureCloud",  # else azureml-mlflow asks the net which clouds there are
            "MLFLOW_TRACKING_URI": of.tracking_uri,
            "MLFLOW_TRACKING_TOKEN": self.guard.token(MANAGEMENT, self.guard.acting(COMPUTE))[0],
            "MLFLOW_RUN_ID": run["runId"],
            "MLFLOW_EXPERIMENT_ID": run["experimentId"],
            "MLFLOW_EXPERIMENT_NAME": run["experiment"],
        }
        given |= without_proxy(base)
        folders = {f"AZURE_ML_INPUT_{name}": value for name, value in inputs.items() if value is not None}
        folders |= {f"AZURE_ML_OUTPUT_{name}": value for name, value in outputs.items()}
        signed_in = of.client_environment(self.guard.secret(COMPUTE))
        return base | given | folders | signed_in | self._client() | step.variables

    def _client(self) -> dict[str, str]:
        """Which identity signs in, where roles count."""
        identity = self.guard.acting(COMPUTE)
        return {"AZURE_CLIENT_ID": identity.client} if identity else {}

    def keep_logs(self, run_id: str) -> None:
        """Logs become artifacts of the run."""
        folder = self.folder(run_id)
        container = self.resolver.container_of(ARTIFACTS)
        for name in log_names(folder):
            self.blobs.upload(folder / name, Place(container, artifacts_prefix(run_id) + name))


def step_run_id(root: str, step: str) -> str:
    """The same for the same step of the same run, so that a restart finds what it did."""
    return stable_id("step", root, step)


def log_names(folder: Path) -> list[str]:
    """The logs a run has written so far, by their names as artifacts."""
    files = [file for place in LOG_PLACES for file in sorted((folder / place).glob("*.txt"))]
    return [file.relative_to(folder).as_posix() for file in files]


def _fetched(web: Web, into: Path) -> Path:
    into.mkdir(parents=True, exist_ok=True)
    file = into / (Path(web.url.partition("?")[0]).name or "file")
    urlretrieve(web.url, file)
    return file
