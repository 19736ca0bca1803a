"""What MLflow clients read of runs: metrics, parameters, tags. Nothing can be logged this way."""

from __future__ import annotations

from datetime import datetime

from localazure.workspace.wire.calls import Call, Json, Refusal, Reply
from localazure.workspace.workspace import Workspace

_STATUSES = {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED", "NotStarted": "SCHEDULED"}


def get_run(workspace: Workspace, call: Call) -> Reply:
    run_id = call.query.get("run_id") or call.query.get("run_uuid")
    if not run_id:
        raise Refusal(400, "INVALID_PARAMETER_VALUE", "run_id is missing")
    return Reply(body={"run": _told(workspace, workspace.runs.get(run_id))})


def metric_history(workspace: Workspace, call: Call) -> Reply:
    """One value: a run's metrics are known at its end."""
    run, key = workspace.runs.get(call.query.get("run_id", "")), call.query.get("metric_key", "")
    return Reply(body={"metrics": [one for one in _metrics(run) if one["key"] == key]})


def _told(workspace: Workspace, run: Json) -> Json:
    tags = run["tags"] | {"mlflow.runName": run["displayName"], "mlflow.rootRunId": run["rootRunId"]}
    if run["parentRunId"]:
        tags["mlflow.parentRunId"] = run["parentRunId"]
    of = workspace.settings
    return {
        "info": {
            "run_id": run["runId"],
            "run_uuid": run["runId"],
            "run_name": run["displayName"],
            "experiment_id": run["experimentId"],
            "status": _STATUSES.get(run["status"], "RUNNING"),
            "start_time": _milliseconds(run["startTimeUtc"]),
            "end_time": _milliseconds(run["endTimeUtc"]),
            "artifact_uri": f"azureml://127.0.0.1:{of.port}/artifacts/dcid.{run['runId']}",
            "lifecycle_stage": "deleted" if run["hidden"] else "active",
        },
        "data": {
            "metrics": _metrics(run),
            "params": [{"key": key, "value": value} for key, value in (run.get("parameters") or {}).items()],
            "tags": [{"key": key, "value": value} for key, value in (tags | run["properties"]).items()],
        },
    }


def _metrics(run: Json) -> list[Json]:
    at = _milliseconds(run["endTimeUtc"])
    return [
        {"key": key, "value": value, "timestamp": at, "step": 0}
        for key, value in (run.get("metrics") or {}).items()
    ]


def _milliseconds(written: str | None) -> int | None:
    return None if written is None else round(datetime.fromisoformat(written).timestamp() * 1000)
