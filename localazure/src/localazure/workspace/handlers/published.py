"""The older REST contract of published pipelines (v1): submit, status, steps, cancel.

A pipeline id is the id or name of a registered pipeline component, or of a batch endpoint, whose default
deployment then runs. Words differ from v2: a run is `Finished` where a job is `Completed`. Lists are bare arrays, as
Microsoft's own client of this contract reads them.
"""

from __future__ import annotations

import uuid

from localazure.workspace import bodies
from localazure.workspace.handlers.invocation import job_properties, pick, plan_of
from localazure.workspace.handlers.submission import submit
from localazure.workspace.history.runs import TERMINAL
from localazure.workspace.planning.pipeline import Planner
from localazure.workspace.settings import stable_id
from localazure.workspace.wire.calls import Call, Json, Refusal, Reply
from localazure.workspace.workspace import Workspace

_CODES = {"Completed": "Finished", "Failed": "Failed", "Canceled": "Canceled", "NotStarted": "NotStarted"}


def list_pipelines(workspace: Workspace, call: Call) -> Reply:
    return Reply(body=[_pipeline(workspace, one) for one in _components(workspace)])


def get_pipeline(workspace: Workspace, call: Call) -> Reply:
    return Reply(body=_pipeline(workspace, _component(workspace, call.names["pipeline"])))


def submit_run(workspace: Workspace, call: Call) -> Reply:
    """200 with the run; the run's id is a job's name as well."""
    pipeline, given = call.names["pipeline"], call.json()
    bodies.V1_SUBMISSION.check({key.lower(): value for key, value in given.items()})
    if call.query.get("parentRunId"):
        raise Refusal(501, "NotImplemented", "runs of a pipeline have no parents here")
    endpoint = _endpoint(workspace, pipeline)
    component = (
        _component(workspace, pipeline) if endpoint is None else _default_component(workspace, endpoint)
    )
    spec = component["properties"]["componentSpec"]
    about = {
        "experimentName": pick(given, "ExperimentName") or spec.get("name"),
        "description": pick(given, "Description"),
        "displayName": pick(given, "DisplayName"),
        "settings": {"continue_on_step_failure": bool(pick(given, "ContinueRunOnStepFailure"))},
    }
    properties = job_properties(
        spec, _inputs(workspace, given, spec), {},
        tags=pick(given, "tags") or {}, properties=pick(given, "Properties") or {}, about=about,
    )  # fmt: skip
    name = str(uuid.uuid4())
    v1 = {
        "pipeline": pipeline,
        "parameters": pick(given, "ParameterAssignments") or {},
        "source": pick(given, "RunSource") or "SDK",
        "type": pick(given, "RunType") or "HTTP",
    }
    job = submit(workspace, name, properties, plan_of(workspace, properties, spec), v1=v1)
    if job is None:
        raise Refusal(409, "UserError", f"a run {name} exists already")
    return Reply(body=_run(workspace, job))


def get_run(workspace: Workspace, call: Call) -> Reply:
    return Reply(body=_run(workspace, _job(workspace, call)))


def list_runs(workspace: Workspace, call: Call) -> Reply:
    jobs = workspace.store.all("jobs", newest_first=True)
    wanted = call.names["pipeline"]
    return Reply(
        body=[_run(workspace, job) for job in jobs if (job.get("v1") or {}).get("pipeline") == wanted]
    )


def steps(workspace: Workspace, call: Call) -> Reply:
    """The run's steps with their status."""
    job = _job(workspace, call)
    return Reply(
        body=[
            {
                "Id": child["runId"],
                "RunId": child["runId"],
                "Name": child["displayName"],
                "Status": _status(child),
                "PipelineRunId": job["name"],
            }
            for child in workspace.runs.children(job["name"])
        ]
    )


def cancel(workspace: Workspace, call: Call) -> Reply:
    job = _job(workspace, call)
    if workspace.runs.get(job["name"])["status"] not in TERMINAL:
        workspace.engine.cancel(job["name"])
    return Reply(body=_run(workspace, _job(workspace, call)))


def _inputs(workspace: Workspace, given: Json, spec: Json) -> Json:
    """Parameters are literals, or paths where the pipeline wants one; data paths and datasets are paths."""
    definitions = spec.get("inputs") or {}
    inputs: Json = {}
    for name, value in (pick(given, "ParameterAssignments") or {}).items():
        kind = (definitions.get(name) or {}).get("type", "string")
        path = kind.startswith("uri_") or kind == "mltable"
        inputs[name] = (
            {"jobInputType": kind, "uri": value} if path else {"jobInputType": "literal", "value": value}
        )
    for name, value in (pick(given, "DataPathAssignments") or {}).items():
        uri = f"azureml://datastores/{pick(value, 'DataStoreName')}/paths/{pick(value, 'RelativePath')}"
        inputs[name] = {"jobInputType": (definitions.get(name) or {}).get("type", "uri_folder"), "uri": uri}
    for name, value in (pick(given, "DataSetDefinitionValueAssignments") or {}).items():
        kind = (definitions.get(name) or {}).get("type", "uri_folder")
        inputs[name] = {"jobInputType": kind, "uri": _dataset(workspace, value)}
    return inputs


def _dataset(workspace: Workspace, value: Json) -> str:
    saved, reference = pick(value, "SavedDataSetReference"), pick(value, "DataSetReference") or {}
    if saved:
        return str(pick(saved, "Id"))
    name, version = pick(reference, "Name") or pick(reference, "Id"), pick(reference, "Version")
    return f"{workspace.settings.resource_id}/data/{name}/versions/{version}"


def _components(workspace: Workspace) -> list[Json]:
    versions = workspace.store.all("components/versions")
    return [
        one
        for one in versions
        if one["properties"]["componentSpec"].get("type") == "pipeline" and one["name"] != "azureml_anonymous"
    ]


def _component(workspace: Workspace, pipeline: str) -> Json:
    """By the id of a version, or by name, which means the newest version."""
    for one in reversed(_components(workspace)):
        if pipeline in (_id(one), one["name"], f"{one['name']}:{one['version']}"):
            return one
    raise Refusal(
        404, "NotFound", f"there is no published pipeline {pipeline!r}; GET .../Pipelines lists them"
    )


def _id(component: Json) -> str:
    return stable_id("pipeline", component["name"], component["version"])


def _endpoint(workspace: Workspace, pipeline: str) -> Json | None:
    endpoints = workspace.store.all("batchEndpoints")
    named = [one for one in endpoints if pipeline in (one["name"], stable_id("endpoint", one["name"]))]
    return named[0] if named else None


def _default_component(workspace: Workspace, endpoint: Json) -> Json:
    name = (endpoint["properties"].get("defaults") or {}).get("deploymentName")
    deployment = workspace.store.get("batchDeployments", f"{endpoint['name']}/{name}")
    if deployment is None:
        raise Refusal(400, "UserError", f"the endpoint {endpoint['name']} has no default deployment")
    asset = deployment["properties"]["deploymentConfiguration"]["componentId"]["assetId"]
    return Planner(workspace.store).versioned("components", asset)


def _pipeline(workspace: Workspace, component: Json) -> Json:
    spec = component["properties"]["componentSpec"]
    inputs = spec.get("inputs") or {}
    return {
        "Id": _id(component),
        "Name": component["name"],
        "Version": component["version"],
        "Description": spec.get("description"),
        "GraphId": _id(component),
        "TotalRunSteps": len(spec.get("jobs") or {}),
        "ParameterAssignments": {name: one.get("default") for name, one in inputs.items()},
        "EntityStatus": "Active",
        "CreatedDate": component["made"]["createdAt"],
        "Url": f"{workspace.settings.base}/pipelines/v1.0{workspace.settings.resource_id}"
        f"/PipelineRuns/PipelineSubmit/{_id(component)}",
    }


def _job(workspace: Workspace, call: Call) -> Json:
    job = workspace.store.get("jobs", call.names["run"])
    if job is None:
        raise Refusal(404, "NotFound", f"there is no pipeline run {call.names['run']!r}")
    return job


def _status(run: Json) -> Json:
    error = (run["error"] or {}).get("error", {}).get("message")
    return {
        "StatusCode": _CODES.get(run["status"], "Running"),
        "StatusDetail": error,
        "CreationTime": run["createdUtc"],
        "EndTime": run["endTimeUtc"],
    }


def _run(workspace: Workspace, job: Json) -> Json:
    run, v1 = workspace.runs.get(job["name"]), job.get("v1") or {}
    return {
        "Id": job["name"],
        "Status": _status(run),
        "GraphId": stable_id("graph", job["name"]),
        "IsSubmitted": True,
        "HasErrors": run["status"] == "Failed",
        "HasWarnings": False,
        "ParameterAssignments": v1.get("parameters", {}),
        "RunHistoryExperimentName": run["experiment"],
        "PipelineId": v1.get("pipeline"),
        "RunSource": v1.get("source"),
        "RunType": v1.get("type"),
        "TotalRunSteps": len(job["plan"]["steps"]),
        "EntityStatus": "Active",
        "CreatedDate": run["createdUtc"],
        "LastModifiedDate": run["endTimeUtc"] or run["startTimeUtc"] or run["createdUtc"],
        "tags": run["tags"],
        "Properties": run["properties"],
        "Description": run["description"],
    }
