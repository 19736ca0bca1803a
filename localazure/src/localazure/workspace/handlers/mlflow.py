"""MLflow's tracking REST API, as far as `azureml-mlflow` and plain clients use it: experiments, runs, what is logged.

MLflow 1 asks below `/mlflow/v1.0`, MLflow 2 and 3 below `/mlflow/v2.0`; both are the same here. Errors have MLflow's
shape, `{"error_code", "message"}`: its client takes `RESOURCE_DOES_NOT_EXIST` for an answer.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from localazure.workspace.history.runs import Immutable, experiment_id
from localazure.workspace.wire.calls import Call, Json, Refusal, Reply
from localazure.workspace.workspace import Workspace

RUN_TYPE = "mlflow"
"""Of runs that a client began by itself: only these end when the client says so."""
_STATUSES = {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED", "NotStarted": "SCHEDULED"}
_TOLD = {mlflow: ours for ours, mlflow in _STATUSES.items()} | {"RUNNING": "Running"}
_NAME, _PARENT, _ROOT = "mlflow.runName", "mlflow.parentRunId", "mlflow.rootRunId"


class MlflowRefusal(Refusal):
    """An answer in MLflow's error shape."""

    def reply(self) -> Reply:
        return Reply(status=self.status, body={"error_code": self.code, "message": self.message})


def get_experiment(workspace: Workspace, call: Call) -> Reply:
    asked = _asked(call.query, "experiment_id")
    return _experiment(workspace.runs.experiment(asked), asked)


def get_experiment_by_name(workspace: Workspace, call: Call) -> Reply:
    name = _asked(call.query, "experiment_name")
    return _experiment(workspace.runs.experiment(experiment_id(name)), name)


def create_experiment(workspace: Workspace, call: Call) -> Reply:
    """An experiment is its name: one that is there already is refused."""
    name = _asked(call.json(), "name")
    if not workspace.runs.add_experiment(name):
        raise MlflowRefusal(400, "RESOURCE_ALREADY_EXISTS", f"there is an experiment {name!r} already")
    return Reply(body={"experiment_id": experiment_id(name)})


def search_experiments(workspace: Workspace, call: Call) -> Reply:
    """All of them, newest first."""
    _refuse_unless_plain(call.json(), "filter", "order_by", "page_token")
    found = [_experiment_told(one) for one in reversed(workspace.runs.experiments())]
    return Reply(body={"experiments": found})


def create_run(workspace: Workspace, call: Call) -> Reply:
    """A run of a client's own; no process of ours is behind it."""
    given = call.json()
    experiment = workspace.runs.experiment(str(given.get("experiment_id")))
    if experiment is None:
        raise _missing("experiment", str(given.get("experiment_id")))
    tags = _pairs(given.get("tags"))
    run_id, parent = str(uuid.uuid4()), tags.pop(_PARENT, None)
    name = given.get("run_name") or tags.pop(_NAME, None) or run_id
    root = _run(workspace, parent)["rootRunId"] if parent else run_id
    workspace.runs.create(
        run_id, parent=parent, experiment=experiment["name"], run_type=RUN_TYPE,
        displayName=name, rootRunId=root, tags=tags,
    )  # fmt: skip
    return Reply(body={"run": _told(workspace, workspace.runs.set_status(run_id, "Running"))})


def get_run(workspace: Workspace, call: Call) -> Reply:
    return Reply(body={"run": _told(workspace, _run(workspace, _run_id(call.query)))})


def update_run(workspace: Workspace, call: Call) -> Reply:
    """Its name; the status too of a run that a client began, but a job's ends with its process."""
    given = call.json()
    run = _run(workspace, _run_id(given))
    if given.get("run_name"):
        run = workspace.runs.patch(run["runId"], {"displayName": given["run_name"]})
    status = _TOLD.get(str(given.get("status", "RUNNING")))
    if status is None:
        raise _invalid(f"the status {given['status']!r} is none of {', '.join(_TOLD)}")
    if run["runType"] == RUN_TYPE:
        run = workspace.runs.set_status(run["runId"], status)
    return Reply(body={"run_info": _info(workspace, run)})


def log_metric(workspace: Workspace, call: Call) -> Reply:
    given = call.json()
    return _log(workspace, given, metrics=[given])


def log_parameter(workspace: Workspace, call: Call) -> Reply:
    """A parameter keeps the value it was given first."""
    given = call.json()
    return _log(workspace, given, parameters=[given])


def set_tag(workspace: Workspace, call: Call) -> Reply:
    given = call.json()
    return _log(workspace, given, tags=[given])


def delete_tag(workspace: Workspace, call: Call) -> Reply:
    given = call.json()
    run_id, key = _run(workspace, _run_id(given))["runId"], _asked(given, "key")
    taken: list[str] = []

    def take(run: Json) -> None:
        taken.extend([key] if run["tags"].pop(key, None) is not None else [])

    workspace.runs.change(run_id, take)
    if not taken:
        raise _missing("tag", key)
    return Reply(body={})


def log_batch(workspace: Workspace, call: Call) -> Reply:
    """All of it or nothing."""
    given = call.json()
    kinds = {"metrics": "metrics", "params": "parameters", "tags": "tags"}
    return _log(workspace, given, **{ours: given.get(theirs) or [] for theirs, ours in kinds.items()})


def log_batch_async(workspace: Workspace, call: Call) -> Reply:
    """Written at once: without an id to ask about, the client does not ask whether it is."""
    log_batch(workspace, call)
    return Reply(body={"batch_tracking_id": ""})


def metric_history(workspace: Workspace, call: Call) -> Reply:
    """Every value, in the order they were logged; one page."""
    run_id, key = _run(workspace, _run_id(call.query))["runId"], _asked(call.query, "metric_key")
    values = [one for one in workspace.runs.metric_history(run_id) if one["key"] == key]
    return Reply(body={"metrics": [_metric_told(one) for one in values]})


def search_logged_models(workspace: Workspace, call: Call) -> Reply:
    """None: models are artifacts of runs here. MLflow 3 asks whenever it lists a folder of artifacts."""
    return Reply(body={"models": []})


def _log(
    workspace: Workspace,
    given: Json,
    *,
    metrics: Iterable[Json] = (),
    parameters: Iterable[Json] = (),
    tags: Iterable[Json] = (),
) -> Reply:
    run_id = _run(workspace, _run_id(given))["runId"]
    named = _pairs(tags)
    try:
        workspace.runs.log(
            run_id, metrics=[_metric(one) for one in metrics], parameters=_pairs(parameters),
            tags={key: value for key, value in named.items() if key != _NAME},
        )  # fmt: skip
    except Immutable as cause:
        raise _invalid(str(cause)) from cause
    if _NAME in named:
        workspace.runs.patch(run_id, {"displayName": named[_NAME]})
    return Reply(body={})


def _metric(given: Json) -> Json:
    try:
        value = float(given["value"])
        at, step = int(given.get("timestamp") or time.time() * 1000), int(given.get("step") or 0)
    except (KeyError, TypeError, ValueError) as cause:
        raise _invalid(
            f"a metric has a key, a number as value, a timestamp and a step, not {given!r}"
        ) from cause
    return {"key": _asked(given, "key"), "value": value, "timestamp": at, "step": step}


def _metric_told(metric: Json) -> Json:
    """Numbers that JSON does not know travel as words, as protocol buffers write them."""
    value = metric["value"]
    if not math.isfinite(value):
        value = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return metric | {"value": value}


def _pairs(given: Iterable[Json] | None) -> dict[str, str]:
    return {_asked(one, "key"): str(one.get("value", "")) for one in given or ()}


def _asked(given: Any, name: str) -> str:
    value = given.get(name)
    if value in (None, ""):
        raise _invalid(f"{name} is missing")
    return str(value)


def _run_id(given: Any) -> str:
    return str(given.get("run_id") or _asked(given, "run_uuid"))


def _run(workspace: Workspace, run_id: str) -> Json:
    run = workspace.runs.find(run_id)
    if run is None:
        raise _missing("run", run_id)
    return run


def _experiment(found: Json | None, asked: str) -> Reply:
    if found is None:
        raise _missing("experiment", asked)
    return Reply(body={"experiment": _experiment_told(found)})


def _experiment_told(experiment: Json) -> Json:
    made = _milliseconds(experiment["createdUtc"])
    return {
        "experiment_id": experiment["experimentId"],
        "name": experiment["name"],
        "artifact_location": "",
        "lifecycle_stage": "active",
        "creation_time": made,
        "last_update_time": made,
    }


def _told(workspace: Workspace, run: Json) -> Json:
    tags = run["tags"] | run["properties"] | {_NAME: run["displayName"], _ROOT: run["rootRunId"]}
    if run["parentRunId"]:
        tags[_PARENT] = run["parentRunId"]
    return {
        "info": _info(workspace, run),
        "data": {
            "metrics": [_metric_told(one) for one in run["metrics"].values()],
            "params": [{"key": key, "value": value} for key, value in run["parameters"].items()],
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        },
    }


def _info(workspace: Workspace, run: Json) -> Json:
    """What is not known (the end of a run that goes on) is left out.

    The artifacts' address has the experiment in it: `azureml-mlflow` then asks run history for them.
    """
    tracking, run_id = workspace.settings.tracking_uri, run["runId"]
    times = {"start_time": run["startTimeUtc"], "end_time": run["endTimeUtc"]}
    return {
        "run_id": run_id,
        "run_uuid": run_id,
        "run_name": run["displayName"],
        "experiment_id": run["experimentId"],
        "status": _STATUSES.get(run["status"], "RUNNING"),
        "artifact_uri": f"{tracking}/experiments/{run['experiment']}/runs/{run_id}/artifacts",
        "lifecycle_stage": "deleted" if run["hidden"] else "active",
        **{name: _milliseconds(at) for name, at in times.items() if at},
    }


def _milliseconds(written: str) -> int:
    return round(datetime.fromisoformat(written).astimezone(UTC).timestamp() * 1000)


def _refuse_unless_plain(given: Json, *names: str) -> None:
    """A search that would be narrowed or ordered differently is not the one that was asked for."""
    for name in names:
        if given.get(name):
            raise MlflowRefusal(501, "NOT_IMPLEMENTED", f"{name!r} of this search is not emulated")


def _invalid(message: str) -> MlflowRefusal:
    return MlflowRefusal(400, "INVALID_PARAMETER_VALUE", message)


def _missing(what: str, name: str) -> MlflowRefusal:
    return MlflowRefusal(404, "RESOURCE_DOES_NOT_EXIST", f"there is no {what} {name!r} in this workspace")
