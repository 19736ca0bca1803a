"""Jobs over ARM: submit, look, list, cancel, delete."""

from __future__ import annotations

from localazure.workspace.engine.execution import LOG_PLACES
from localazure.workspace.handlers.submission import plan_for, submit
from localazure.workspace.history.runs import TERMINAL
from localazure.workspace.store.blobs import Place
from localazure.workspace.store.uris import ARTIFACTS, artifacts_prefix
from localazure.workspace.wire.calls import (
    Call,
    Json,
    Refusal,
    Reply,
    check_query,
    in_view,
    listing,
    not_found,
)
from localazure.workspace.wire.resources import resource
from localazure.workspace.workspace import Workspace


def put(workspace: Workspace, call: Call) -> Reply:
    """Names are the clients' own: the second PUT of a name runs nothing again."""
    name, properties = call.names["name"], call.json().get("properties") or {}
    existing = workspace.store.get("jobs", name)
    if existing is None:
        plan = plan_for(workspace, name, properties)
        job = submit(workspace, name, properties, plan)
        if job is not None:
            return Reply(status=201, body=told(workspace, job, status="NotStarted"))
    else:
        about = {
            key: properties[key]
            for key in ("displayName", "description", "tags", "properties")
            if key in properties
        }
        workspace.runs.patch(name, about | {"hidden": bool(properties.get("isArchived"))})
    return Reply(body=told(workspace, _find(workspace, name)))


def get(workspace: Workspace, call: Call) -> Reply:
    """A step answers too, without properties: clients then ask run history."""
    name = call.names["name"]
    job = workspace.store.get("jobs", name)
    if job is not None:
        return Reply(body=told(workspace, job))
    run = workspace.runs.find(name)
    if run is None:
        raise not_found("job", name)
    made = {"createdAt": run["createdUtc"], "createdBy": "localazure", "createdByType": "Application"}
    return Reply(body=resource(workspace.settings, f"jobs/{name}", "jobs", {}, made) | {"properties": None})


def list_all(workspace: Workspace, call: Call) -> Reply:
    """Newest first; `tag` is a tag's name, or `name=value`."""
    check_query(call, "tag", "jobType", "scheduled", "scheduleId")
    tag, _, value = call.query.get("tag", "").partition("=")
    kind = call.query.get("jobType", "").lower()
    found = []
    for job in workspace.store.all("jobs", newest_first=True):
        run = workspace.runs.find(job["name"])
        if run is None:
            continue  # it is being made, or was deleted meanwhile
        one = _told(workspace, job, run)
        properties = one["properties"]
        archived, tags = properties["isArchived"], properties["tags"]
        if not in_view(call, archived):
            continue
        if kind and properties["jobType"].lower() != kind:
            continue
        if tag and (tag not in tags or (value and tags[tag] != value)):
            continue
        if not _of_schedule(job, call):
            continue
        found.append(one)
    return listing(found)


def _of_schedule(job: Json, call: Call) -> bool:
    """`scheduled` asks for jobs that a schedule started (or for the others), `scheduleId` for those of one."""
    by, one = job.get("schedule"), call.query.get("scheduleId", "").rpartition("/")[2]
    asked = call.query.get("scheduled", "").lower()
    return (not one or by == one) and (not asked or (by is not None) == (asked == "true"))


def cancel(workspace: Workspace, call: Call) -> Reply:
    """Accepted; the Location answers 202 until the job has ended (when it is asked to be quick: it has)."""
    name = call.names["name"]
    run = workspace.runs.get(name)
    if run["parentRunId"]:
        raise Refusal(400, "UserError", f"{name} is a step; cancel its pipeline {run['rootRunId']}")
    if run["status"] not in TERMINAL:
        workspace.engine.cancel(name)
    operation = workspace.operations.begin("cancel", {"run": name})
    if workspace.operations.settings()["mode"] == "sync":
        workspace.operations.wait(operation)
        return Reply()
    headers = workspace.operations.headers(operation)
    return Reply(status=202, headers={name: headers[name] for name in ("Location", "Retry-After")})


def delete(workspace: Workspace, call: Call) -> Reply:
    name = call.names["name"]
    if workspace.store.get("jobs", name) is None:
        return Reply(status=204)
    if workspace.runs.get(name)["status"] not in TERMINAL:
        raise Refusal(409, "UserError", f"the job {name} has not ended; cancel it first")
    runs = [*(run["runId"] for run in _below(workspace, name)), name]
    for run in runs:
        _forget_logs(workspace, run)
    with workspace.store.together():  # a job without its runs would be run again at the next start
        workspace.store.remove("jobs", name)
        for run in runs:
            workspace.runs.remove(run)
    return Reply(status=200)


def _forget_logs(workspace: Workspace, run: str) -> None:
    """A job that gets the name later must not show them as its own."""
    container = workspace.resolver.container_of(ARTIFACTS)
    for place in LOG_PLACES:
        workspace.blobs.delete_folder(Place(container, f"{artifacts_prefix(run)}{place}/"))
    workspace.engine.forget(run)


def _below(workspace: Workspace, run_id: str) -> list[Json]:
    """The steps of a run, and what is below those."""
    children = workspace.runs.children(run_id)
    return [one for child in children for one in (*_below(workspace, child["runId"]), child)]


def told(workspace: Workspace, job: Json, *, status: str | None = None) -> Json:
    """A job as ARM tells it: what was sent, and how far it is."""
    return _told(workspace, job, workspace.runs.get(job["name"]), status=status)


def _told(workspace: Workspace, job: Json, run: Json, *, status: str | None = None) -> Json:
    """`outputs.default` stays out: with it, the SDK's `stream` takes the storage signature for an account key."""
    studio = f"{workspace.settings.base}/studio/runs/{job['name']}"
    properties = {"inputs": {}, "outputs": {}, "settings": {}, "services": {}} | job["properties"]
    if properties.get("jobType") == "AutoML":
        properties["outputs"] = properties["outputs"] or {"best_model": {"jobOutputType": "mlflow_model"}}
    properties |= {
        "status": status or run["status"],
        "experimentName": run["experiment"],
        "displayName": run["displayName"],
        "description": run["description"],
        "tags": run["tags"],
        "properties": run["properties"],
        "isArchived": run["hidden"],
        "services": {"Studio": {"jobServiceType": "Studio", "endpoint": studio}},
    }
    return resource(workspace.settings, f"jobs/{job['name']}", "jobs", properties, job["made"])


def _find(workspace: Workspace, name: str) -> Json:
    job = workspace.store.get("jobs", name)
    if job is None:
        raise not_found("job", name)
    return job
