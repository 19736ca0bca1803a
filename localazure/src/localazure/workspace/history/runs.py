"""Runs: what happened to each job and each of its steps, and the run-history service that tells it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence

from localazure.workspace.history.events import RunEvents
from localazure.workspace.settings import Settings, stable_id
from localazure.workspace.store.documents import Store
from localazure.workspace.wire.calls import Json, not_found
from localazure.workspace.wire.timestamps import now

TERMINAL = ("Completed", "Failed", "Canceled")


class Immutable(Exception):
    """A parameter was logged before, with another value; log another key, or begin another run."""


class Runs:
    """The one place where a run's status changes; each change is written together with the events that tell it."""

    def __init__(self, settings: Settings, store: Store, events: RunEvents) -> None:
        self._settings, self._store, self._events = settings, store, events

    def create(
        self, run_id: str, *, parent: str | None, experiment: str, run_type: str, **more: object
    ) -> Json:
        """A run that has not started; the one that is there already, if it is."""
        run: Json = {
            "runId": run_id,
            "parentRunId": parent,
            "rootRunId": parent or run_id,
            "experiment": experiment,
            "experimentId": experiment_id(experiment),
            "runType": run_type,
            "displayName": run_id,
            "description": None,
            "status": "NotStarted",
            "tags": {},
            "properties": {},
            "createdUtc": now(),
            "startTimeUtc": None,
            "endTimeUtc": None,
            "outputs": {},
            "parameters": {},
            "metrics": {},
            "error": None,
            "hidden": False,
        }
        run |= more
        self.add_experiment(experiment)
        with self._store.together():
            if self._store.add("runs", run_id, run, family=parent or ""):
                self._events.run_changed(run)
                return run
        return self.get(run_id)

    def find(self, run_id: str) -> Json | None:
        return self._store.get("runs", run_id)

    def get(self, run_id: str) -> Json:
        run = self.find(run_id)
        if run is None:
            raise not_found("run", run_id)
        return run

    def ended(self, subject: Json) -> tuple[str, str | None]:
        """How far the cancelling of a job is."""
        run = self.find(subject["run"])
        return ("Succeeded" if run is None or run["status"] in TERMINAL else "InProgress"), None

    def children(self, run_id: str) -> list[Json]:
        return self._store.all("runs", family=run_id)

    def remove(self, run_id: str) -> None:
        self._forget_metrics(run_id)
        self._store.remove("runs", run_id)

    def forget_logged(self, run_id: str) -> None:
        """What an earlier life of a run logged, which begins again: parameters and metrics."""
        self._forget_metrics(run_id)
        self.change(run_id, lambda run: run.update(parameters={}, metrics={}))

    def _forget_metrics(self, run_id: str) -> None:
        for key in self._store.keys("metrics", family=run_id):
            self._store.remove("metrics", key)

    def add_experiment(self, name: str) -> bool:
        """False when it is there already."""
        of = experiment_id(name)
        return self._store.add("experiments", of, {"experimentId": of, "name": name, "createdUtc": now()})

    def experiment(self, of: str) -> Json | None:
        return self._store.get("experiments", of)

    def experiments(self) -> list[Json]:
        """In order of creation."""
        return self._store.all("experiments")

    def log(
        self,
        run_id: str,
        *,
        metrics: Sequence[Json] = (),
        parameters: Mapping[str, str] = {},
        tags: Mapping[str, str] = {},
    ) -> None:
        """What a run says of itself while it runs, or after; the run holds each metric's value of the last step.

        All of it, or Immutable. A metric is `key`, `value`, `timestamp` in milliseconds, `step`; the history of all values
        lies beside the run, so that a long one is not written again with each.
        """

        def merge(run: Json) -> None:
            for key, value in parameters.items():
                if run["parameters"].setdefault(key, value) != value:
                    raise Immutable(
                        f"the parameter {key!r} is {run['parameters'][key]!r} and cannot become {value!r}"
                    )
            run["tags"] |= tags
            if metrics:
                self._store.add("metrics", str(uuid.uuid4()), {"values": list(metrics)}, family=run_id)
            for metric in metrics:
                last = run["metrics"].get(metric["key"])
                if last is None or _order(last) <= _order(metric):
                    run["metrics"][metric["key"]] = metric

        self.change(run_id, merge)

    def metric_history(self, run_id: str) -> list[Json]:
        """In the order they were logged."""
        return [metric for logged in self._store.all("metrics", family=run_id) for metric in logged["values"]]

    def unfinished(self) -> list[Json]:
        """Top-level runs that have not ended, oldest first."""
        return [run for run in self._store.all("runs", family="") if run["status"] not in TERMINAL]

    def change(self, run_id: str, change: Callable[[Json], None]) -> Json:
        run = self._store.change("runs", run_id, change)
        if run is None:
            raise not_found("run", run_id)
        return run

    def set_status(self, run_id: str, status: str, *, error: str | None = None, **more: object) -> Json:
        """Writes and tells, both or neither; a run that has ended stays as it ended."""
        changed: list[bool] = []

        def move(run: Json) -> None:
            if run["status"] in TERMINAL or run["status"] == status:
                return
            changed.append(True)
            run["status"] = status
            run |= more
            if status == "Running":
                run["startTimeUtc"] = run["startTimeUtc"] or now()
            if status in TERMINAL:
                run["endTimeUtc"] = now()
            if error:
                run["error"] = {"error": {"code": "UserError", "message": error}}

        with self._store.together():
            run = self.change(run_id, move)
            if changed:
                self._events.run_changed(run)
        return run

    def patch(self, run_id: str, given: Json) -> Json:
        """What clients may change: tags, properties, names, whether it is hidden."""

        def merge(run: Json) -> None:
            for name in ("displayName", "description", "hidden"):
                if name in given:
                    run[name] = given[name]
            for name in ("tags", "properties"):
                run[name] |= {key: str(value) for key, value in (given.get(name) or {}).items()}

        return self.change(run_id, merge)

    def told(self, run: Json) -> Json:
        """A run in the run-history service's shape."""
        outputs = {
            name: {"assetId": self.output_asset_id(run["runId"], name), "type": output["type"]}
            for name, output in run["outputs"].items()
        }
        return {
            "runId": run["runId"],
            "parentRunId": run["parentRunId"],
            "rootRunId": run["rootRunId"],
            "experimentId": run["experimentId"],
            "runType": run["runType"],
            "displayName": run["displayName"],
            "description": run["description"],
            "status": run["status"],
            "tags": run["tags"],
            "properties": run["properties"],
            "services": {},
            "compute": {"target": run.get("compute", "serverless")},
            "createdUtc": run["createdUtc"],
            "startTimeUtc": run["startTimeUtc"],
            "endTimeUtc": run["endTimeUtc"],
            "outputs": outputs,
            "error": run["error"],
            "hidden": run["hidden"],
        }

    def output_asset_id(self, run_id: str, output: str) -> str:
        """Opaque to clients; `uris` follows it."""
        return (
            f"azureml://locations/local/workspaces/{self._settings.workspace_id}"
            f"/data/azureml_{run_id}_output_{output}/versions/1"
        )


def experiment_id(name: str) -> str:
    """An experiment is its name."""
    return stable_id("experiment", name)


def _order(metric: Json) -> tuple[int, int]:
    """The last of a metric's values is that of the highest step; among equals, the latest."""
    return metric["step"], metric["timestamp"]
