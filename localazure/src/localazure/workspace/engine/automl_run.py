"""One AutoML run: its data fetched, the search started and followed, its trials told as child runs, its best kept."""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from localazure.workspace.automl.mltable import Tables
from localazure.workspace.automl.task import Task
from localazure.workspace.history.runs import TERMINAL, Runs
from localazure.workspace.planning.plan import Step
from localazure.workspace.processes.children import Processes
from localazure.workspace.processes.stopping import Stop
from localazure.workspace.store.blobs import Blobs, Place
from localazure.workspace.store.uris import ARTIFACTS, Resolver, artifacts_prefix
from localazure.workspace.wire.calls import Json

log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.2
_GRACE_SECONDS = 60.0
"""What the search may take beyond its timeout, to read its data and to combine models."""
_NOT_PASSED_ON = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "IDENTITY_HEADER")


class NoModel(Exception):
    """The search ended without a model; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Searches:
    """Runs AutoML steps; keeps nothing between them."""

    blobs: Blobs
    runs: Runs
    resolver: Resolver
    processes: Processes

    def search(
        self, run: Json, step: Step, *, uris: Mapping[str, str], stop: Stop, folder: Path, log: Path
    ) -> Path:
        """The folder of the best model; its child runs and the tags that name it are written meanwhile."""
        task = Task.from_json(step.automl or {})
        self._forget_trials(run)
        work = folder / "search"
        work.mkdir(parents=True)
        tables = Tables(resolver=self.resolver, blobs=self.blobs)
        data = {name: tables.fetch(uri, folder / "inputs" / name) for name, uri in uris.items()}
        asked = {"task": task.to_json(), "data": data}
        (work / "job.json").write_text(json.dumps(asked), encoding="utf-8")
        follower = Follower(searches=self, run=run, task=task, folder=work)
        thread = threading.Thread(target=follower.follow, name=f"trials of {run['runId']}", daemon=True)
        thread.start()
        try:
            code = self._run(run, task, work, stop, log)
        finally:
            follower.over.set()
            thread.join()
            self._end_trials(run)
        if follower.problem:
            raise follower.problem
        return self._best(run, follower, code, work)

    def _run(self, run: Json, task: Task, work: Path, stop: Stop, log: Path) -> int | None:
        environment = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
        command = [sys.executable, "-P", "-m", "localazure.workspace.automl.search", str(work), run["runId"]]
        environment |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
        with log.open("ab") as written:
            child = self.processes.start(
                command,
                directory=work,
                environment=environment | {"PYTHONUNBUFFERED": "1"},
                log=written,
            )
            return stop.wait(child, seconds=task.seconds + _GRACE_SECONDS)

    def _best(self, run: Json, follower: Follower, code: int | None, work: Path) -> Path:
        best = follower.best
        if best is None:
            ends = {
                2: "the data cannot be learnt from",
                3: "no trial came to a good end",
                None: "it took too long",
            }
            raise NoModel(f"{ends.get(code, f'the search ended with {code}')}; its log says more")
        self.runs.patch(run["runId"], {"tags": follower.tags(), "properties": follower.properties()})
        return work / "trials" / str(best["number"]) / "outputs" / "mlflow-model"

    def keep_artifacts(self, run_id: str, outputs: Path) -> None:
        """A trial's files, as artifacts of its run."""
        place = Place(self.resolver.container_of(ARTIFACTS), f"{artifacts_prefix(run_id)}outputs")
        self.blobs.upload_folder(outputs, place)

    def _forget_trials(self, run: Json) -> None:
        """Those of an earlier life of this run, which begins again."""
        for child in self.runs.children(run["runId"]):
            self.runs.remove(child["runId"])

    def _end_trials(self, run: Json) -> None:
        for child in self.runs.children(run["runId"]):
            if child["status"] not in TERMINAL:
                self.runs.set_status(child["runId"], "Canceled")


@dataclass(kw_only=True)
class Follower:
    """Reads the search's events as they come, and makes them child runs."""

    searches: Searches
    run: Json
    task: Task
    folder: Path
    over: threading.Event = field(default_factory=threading.Event)
    ended: list[Json] = field(default_factory=list)
    data: Json = field(default_factory=dict)
    problem: Exception | None = None
    _algorithms: dict[int, str] = field(default_factory=dict)
    _read: int = 0

    def follow(self) -> None:
        """Until the search is over and all it said is read."""
        try:
            while not self.over.wait(_LOOK_SECONDS):
                self._take_in()
            self._take_in()
        except Exception as failed:  # the border of a thread: the search's own thread raises it again
            log.exception("following the trials of %s", self.run["runId"])
            self.problem = failed

    @property
    def best(self) -> Json | None:
        good = [
            one for one in self.ended if one["status"] == "Completed" and not math.isnan(self._score(one))
        ]
        return max(good, key=self._score) if good else None

    def tags(self) -> dict[str, str]:
        """As Azure writes them on the parent: the best one's id, and a list of all, by semicolons."""
        good = [one for one in self.ended if one["status"] == "Completed"]
        best = self.best or {}
        return {
            "automl_best_child_run_id": f"{self.run['runId']}_{best.get('number')}",
            "model_explain_run": "not_emulated",
            "iteration_000": ";".join(str(one["number"]) for one in good),
            "run_algorithm_000": ";".join(self._algorithms[one["number"]] for one in good),
            "score_000": ";".join(str(self._score(one)) for one in good),
            "fit_time_000": ";".join(str(one["seconds"]) for one in good),
        }

    def properties(self) -> dict[str, str]:
        crossed = self.data.get("splits", 1) > 1
        return {
            "num_iterations": str(self.task.most_trials),
            "training_type": "MeanCrossValidation" if crossed else "TrainValidation",
            "primary_metric": self.task.metric,
            "num_cross_validation": str(self.data.get("splits", "")) if crossed else "",
            "runTemplate": "AutoML",
            "azureml.runsource": "automl",
        }

    def _take_in(self) -> None:
        file = self.folder / "events.jsonl"
        if not file.exists():
            return
        with file.open(encoding="utf-8") as lines:
            lines.seek(self._read)
            while (line := lines.readline()).endswith("\n"):
                self._read += len(line.encode())
                self._tell(json.loads(line))

    def _tell(self, event: Json) -> None:
        if event["event"] == "data":
            self.data = event
        elif event["event"] == "begun":
            self._begin(event)
        else:
            self._end(event)

    def _begin(self, event: Json) -> None:
        number, runs = event["number"], self.searches.runs
        self._algorithms[number] = event["algorithm"]
        runs.create(
            f"{self.run['runId']}_{number}",
            parent=self.run["runId"],
            experiment=self.run["experiment"],
            run_type="automl.child",
            rootRunId=self.run["rootRunId"],
            displayName=event["algorithm"],
            parameters={key: str(value) for key, value in event["parameters"].items()},
            properties={
                "iteration": str(number),
                "run_algorithm": event["algorithm"],
                "primary_metric": self.task.metric,
                "runTemplate": "automl_child",
            },
        )
        runs.set_status(f"{self.run['runId']}_{number}", "Running")

    def _end(self, event: Json) -> None:
        run_id, runs = f"{self.run['runId']}_{event['number']}", self.searches.runs
        self.ended.append(event)
        if event["status"] != "Completed":
            runs.set_status(run_id, event["status"], error=event.get("problem"))
            return
        outputs = self.folder / "trials" / str(event["number"]) / "outputs"
        self.searches.keep_artifacts(run_id, outputs)
        told = {"score": str(self._score(event)), "model_output_path": "outputs/mlflow-model"}
        if "members" in event:
            told["ensemble_weights"] = json.dumps(event["members"])
        runs.patch(run_id, {"properties": told})
        at = round(time.time() * 1000)
        metrics = event["metrics"].items()
        runs.log(
            run_id,
            metrics=[{"key": key, "value": value, "timestamp": at, "step": 0} for key, value in metrics],
        )
        runs.set_status(run_id, "Completed")

    def _score(self, event: Json) -> float:
        return float(event["metrics"].get(self.task.metric, math.nan))


def clean(folder: Path) -> None:
    """What a search needed and nobody reads again."""
    for name in ("search", "inputs"):
        shutil.rmtree(folder / name, ignore_errors=True)
