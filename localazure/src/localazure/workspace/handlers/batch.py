"""Batch endpoints whose deployments are pipeline components: publish, invoke, list what was run."""

from __future__ import annotations

import uuid

from localazure.workspace import bodies
from localazure.workspace.handlers import jobs
from localazure.workspace.handlers.invocation import input_of, job_properties, output_of, pick, plan_of
from localazure.workspace.handlers.submission import submit
from localazure.workspace.identity.actions import INVOKE
from localazure.workspace.identity.bearer import MACHINE_LEARNING, denied_by_policy
from localazure.workspace.planning.pipeline import Planner
from localazure.workspace.settings import LOCATION
from localazure.workspace.wire.calls import Call, Json, Refusal, Reply, checked_name, listing, not_found
from localazure.workspace.wire.resources import resource, stamp
from localazure.workspace.workspace import Workspace

_ENDPOINTS, _DEPLOYMENTS = "batchEndpoints", "batchDeployments"


def list_endpoints(workspace: Workspace, call: Call) -> Reply:
    return listing([_endpoint(workspace, one) for one in workspace.store.all(_ENDPOINTS)])


def get_endpoint(workspace: Workspace, call: Call) -> Reply:
    return Reply(body=_endpoint(workspace, _find_endpoint(workspace, call.names["endpoint"])))


def put_endpoint(workspace: Workspace, call: Call) -> Reply:
    """The default deployment, once named, must be there."""
    name, given = checked_name(call.names["endpoint"], "batch endpoint"), call.json()
    properties = given.get("properties") or {}
    bodies.BATCH_ENDPOINT.check(properties)
    if str(properties.get("authMode") or "AADToken").lower() != "aadtoken":
        raise Refusal(
            400, "UserError", f"authMode {properties['authMode']!r}: a batch endpoint takes AADToken"
        )
    default = (properties.get("defaults") or {}).get("deploymentName")
    if default and workspace.store.get(_DEPLOYMENTS, f"{name}/{default}") is None:
        raise Refusal(
            400, "UserError", f"the endpoint {name} has no deployment {default!r} to be its default"
        )
    before = workspace.store.get(_ENDPOINTS, name) or {}
    document = {
        "name": name,
        "properties": properties,
        "tags": given.get("tags") or {},
        "made": stamp(before.get("made")),
    }
    new = workspace.store.put(_ENDPOINTS, name, document)
    return Reply(status=201 if new else 200, body=_endpoint(workspace, document))


def delete_endpoint(workspace: Workspace, call: Call) -> Reply:
    name = call.names["endpoint"]
    for one in workspace.store.all(_DEPLOYMENTS, family=name):
        workspace.store.remove(_DEPLOYMENTS, f"{name}/{one['name']}")
    return Reply(status=200 if workspace.store.remove(_ENDPOINTS, name) else 204)


def list_deployments(workspace: Workspace, call: Call) -> Reply:
    name = call.names["endpoint"]
    _find_endpoint(workspace, name)
    return listing([_deployment(workspace, one) for one in workspace.store.all(_DEPLOYMENTS, family=name)])


def get_deployment(workspace: Workspace, call: Call) -> Reply:
    found = _find_deployment(workspace, call.names["endpoint"], call.names["deployment"])
    return Reply(body=_deployment(workspace, found))


def put_deployment(workspace: Workspace, call: Call) -> Reply:
    """Pipeline components only; the component must be registered."""
    endpoint, name = call.names["endpoint"], checked_name(call.names["deployment"], "deployment")
    given = call.json()
    _find_endpoint(workspace, endpoint)
    properties = given.get("properties") or {}
    bodies.BATCH_DEPLOYMENT.check(properties)
    configuration = properties.get("deploymentConfiguration") or {}
    if configuration.get("deploymentConfigurationType") != "PipelineComponent":
        raise Refusal(
            501,
            "NotImplemented",
            "batch deployments of models are not emulated; of pipeline components they are",
        )
    component = (configuration.get("componentId") or {}).get("assetId")
    if not component:
        raise Refusal(400, "UserError", "deploymentConfiguration.componentId.assetId is missing")
    spec = Planner(workspace.store).component(component)
    if spec.get("type") != "pipeline":
        raise Refusal(400, "UserError", f"the component {spec.get('name')} is not a pipeline")
    before = workspace.store.get(_DEPLOYMENTS, f"{endpoint}/{name}") or {}
    document = {
        "endpoint": endpoint,
        "name": name,
        "properties": properties,
        "tags": given.get("tags") or {},
        "made": stamp(before.get("made")),
    }
    new = workspace.store.put(_DEPLOYMENTS, f"{endpoint}/{name}", document, family=endpoint)
    return Reply(status=201 if new else 200, body=_deployment(workspace, document))


def delete_deployment(workspace: Workspace, call: Call) -> Reply:
    endpoint, name = call.names["endpoint"], call.names["deployment"]
    found = workspace.store.get(_ENDPOINTS, endpoint)
    if found and _default(found) == name:
        raise Refusal(
            400, "UserError", f"{name} is the default deployment of {endpoint}; name another one first"
        )
    return Reply(status=200 if workspace.store.remove(_DEPLOYMENTS, f"{endpoint}/{name}") else 204)


def invoke(workspace: Workspace, call: Call) -> Reply:
    """Starts the deployment's pipeline; a name in the body is the job's, and is taken only once."""
    workspace.guard.admit(call, (MACHINE_LEARNING,))
    resource = f"/batchEndpoints/{call.names['endpoint']}"
    workspace.guard.check_calling(call, "invoke a batch endpoint", INVOKE, resource)
    endpoint = _find_endpoint(workspace, call.names["endpoint"])
    if workspace.strict.is_too_new(f"batchEndpoints/{endpoint['name']}"):
        raise denied_by_policy()
    body = pick(call.json(), "properties") or {}
    bodies.INVOCATION.check({key.lower(): value for key, value in body.items()})
    chosen = None if call.name_ignored else pick(body, "name")
    name = str(chosen or f"batchjob-{uuid.uuid4()}")
    deployment = _find_deployment(workspace, endpoint["name"], _chosen(call, endpoint))
    job = start(workspace, deployment, name, body)
    if job is None:
        raise Refusal(409, "UserError", f"a job named {name} exists already; nothing was started")
    return Reply(status=201, body=_batch_job(workspace, job))


def start(workspace: Workspace, deployment: Json, name: str, body: Json) -> Json | None:
    """None when the name is taken."""
    configuration = deployment["properties"]["deploymentConfiguration"]
    spec = Planner(workspace.store).component(configuration["componentId"]["assetId"])
    own = pick(body, "properties") or {}
    inputs = {key: input_of(value) for key, value in (pick(body, "inputData") or {}).items()}
    outputs = {key: output_of(value) for key, value in (pick(body, "outputData") or {}).items()}
    about = {
        "displayName": pick(body, "displayName"),
        "experimentName": pick(own, "experimentName")
        or pick(body, "experimentName")
        or deployment["endpoint"],
        "settings": configuration.get("settings"),
        "description": pick(body, "description"),
    }
    tags = {"azureml.batchrun": "true", "azureml.deploymentname": deployment["name"]} | (
        pick(body, "tags") or {}
    )
    properties = job_properties(spec, inputs, outputs, tags=tags, properties=own, about=about)
    plan = plan_of(workspace, properties, spec)
    return submit(
        workspace,
        name,
        properties,
        plan,
        batch={"endpoint": deployment["endpoint"], "deployment": deployment["name"]},
    )


def list_jobs(workspace: Workspace, call: Call) -> Reply:
    """What an endpoint, or one of its deployments, has run; newest first."""
    wanted = call.names["endpoint"], call.names.get("deployment")
    found = []
    for job in workspace.store.all("jobs", newest_first=True):
        batch = job.get("batch") or {}
        if batch.get("endpoint") == wanted[0] and wanted[1] in (None, batch.get("deployment")):
            found.append(_batch_job(workspace, job))
    return listing(found)


def get_job(workspace: Workspace, call: Call) -> Reply:
    """The same job as under `jobs`."""
    return jobs.get(workspace, call)


def _batch_job(workspace: Workspace, job: Json) -> Json:
    told = jobs.told(workspace, job)
    path = f"batchEndpoints/{job['batch']['endpoint']}/jobs/{job['name']}"
    properties = told["properties"] | {"name": job["name"]}
    if properties["status"] == "NotStarted":
        properties["status"] = "Preparing"  # what the service answers to an invocation
    return resource(workspace.settings, path, "batchEndpoints/jobs", properties, job["made"])


def _chosen(call: Call, endpoint: Json) -> str:
    name = call.headers.get("azureml-model-deployment") or _default(endpoint)
    if not name:
        raise Refusal(
            400, "UserError", f"the endpoint {endpoint['name']} has no default deployment; name one by header"
        )
    return name


def _default(endpoint: Json) -> str | None:
    return (endpoint["properties"].get("defaults") or {}).get("deploymentName")


def _find_endpoint(workspace: Workspace, name: str) -> Json:
    found = workspace.store.get(_ENDPOINTS, name)
    if found is None:
        raise not_found("batch endpoint", name)
    return found


def _find_deployment(workspace: Workspace, endpoint: str, name: str) -> Json:
    found = workspace.store.get(_DEPLOYMENTS, f"{endpoint}/{name}")
    if found is None:
        raise not_found("batch deployment", f"{endpoint}/{name}")
    return found


def _endpoint(workspace: Workspace, one: Json) -> Json:
    base = workspace.settings.base
    properties = {"authMode": "AADToken", "properties": {}} | one["properties"]
    properties |= {
        "defaults": one["properties"].get("defaults") or {"deploymentName": None},
        "scoringUri": f"{base}/batch/{one['name']}/jobs",
        "swaggerUri": None,
        "provisioningState": "Succeeded",
    }
    path = f"batchEndpoints/{one['name']}"
    return resource(
        workspace.settings,
        path,
        "batchEndpoints",
        properties,
        one["made"],
        location=LOCATION,
        tags=one["tags"],
    )


def _deployment(workspace: Workspace, one: Json) -> Json:
    properties = one["properties"] | {"provisioningState": "Succeeded"}
    path = f"batchEndpoints/{one['endpoint']}/deployments/{one['name']}"
    return resource(
        workspace.settings,
        path,
        "batchEndpoints/deployments",
        properties,
        one["made"],
        location=LOCATION,
        tags=one["tags"],
    )
