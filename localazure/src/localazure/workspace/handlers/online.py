"""Online endpoints over ARM: deployments, traffic, keys, logs, and how a deployment is coming along."""

from __future__ import annotations

import secrets
import time

from localazure.workspace import bodies, curated
from localazure.workspace.hosting.deployments import DEPLOYMENTS
from localazure.workspace.identity.bearer import MACHINE_LEARNING
from localazure.workspace.planning.pipeline import Planner
from localazure.workspace.settings import LOCATION
from localazure.workspace.wire.calls import Call, Json, Refusal, Reply, checked_name, listing, not_found
from localazure.workspace.wire.resources import resource, stamp
from localazure.workspace.workspace import Workspace

ENDPOINTS = "onlineEndpoints"
_MOST_MIRRORED = 50


def list_endpoints(workspace: Workspace, call: Call) -> Reply:
    return listing([_endpoint(workspace, one) for one in workspace.store.all(ENDPOINTS)])


def get_endpoint(workspace: Workspace, call: Call) -> Reply:
    return Reply(body=_endpoint(workspace, find_endpoint(workspace, call.names["endpoint"])))


def put_endpoint(workspace: Workspace, call: Call) -> Reply:
    """Traffic goes to deployments that are there, and adds up to 0 or 100."""
    name, given = checked_name(call.names["endpoint"], "online endpoint"), call.json()
    properties = given.get("properties") or {}
    bodies.ONLINE_ENDPOINT.check(properties)
    if str(properties.get("authMode") or "Key").lower() not in ("key", "amltoken", "aadtoken"):
        raise Refusal(400, "UserError", f"authMode {properties['authMode']!r}: Key, AMLToken or AADToken")
    if str(properties.get("authMode") or "Key").lower() == "key" and "keyless" in workspace.strict:
        raise Refusal(
            403, "RequestDisallowedByPolicy", f"a policy allows no keys: {name} can take authMode AADToken"
        )
    for kind in ("traffic", "mirrorTraffic"):
        _check_traffic(workspace, name, kind, properties.get(kind) or {})
    live = {one for one, share in (properties.get("traffic") or {}).items() if int(share)}
    if both := live & set(properties.get("mirrorTraffic") or {}):
        raise Refusal(
            400, "UserError", f"{both.pop()} takes live traffic; it cannot take mirrored traffic as well"
        )
    for identity in (given.get("identity") or {}).get("userAssignedIdentities") or {}:
        workspace.guard.check_assigning(call, identity)
    before = workspace.store.get(ENDPOINTS, name) or {}
    document = {
        "name": name,
        "properties": {key: value for key, value in properties.items() if key != "keys"},
        "tags": given.get("tags") or {},
        "keys": before.get("keys") or _first_keys(properties.get("keys") or {}),
        "made": stamp(before.get("made")),
    }
    new = workspace.store.put(ENDPOINTS, name, document)
    return Reply(status=201 if new else 200, body=_endpoint(workspace, document))


def _first_keys(given: Json) -> Json:
    """Those of the caller's choice, or new ones."""
    return {name: given.get(name) or secrets.token_urlsafe(24) for name in ("primaryKey", "secondaryKey")}


def delete_endpoint(workspace: Workspace, call: Call) -> Reply:
    name = call.names["endpoint"]
    for one in workspace.store.all(DEPLOYMENTS, family=name):
        _remove(workspace, name, one["name"])
    return Reply(status=200 if workspace.store.remove(ENDPOINTS, name) else 204)


def list_keys(workspace: Workspace, call: Call) -> Reply:
    endpoint = find_endpoint(workspace, call.names["endpoint"])
    if auth_mode(endpoint) != "key":
        raise Refusal(
            400, "UserError", f"the endpoint {endpoint['name']} has no keys: its authMode is another"
        )
    return Reply(body=endpoint["keys"])


def regenerate_keys(workspace: Workspace, call: Call) -> Reply:
    """The new key is always our choice: the SDK sends the current one along."""
    which = "secondaryKey" if str(call.json().get("keyType", "")).lower() == "secondary" else "primaryKey"
    name = call.names["endpoint"]
    find_endpoint(workspace, name)
    workspace.store.change(
        ENDPOINTS, name, lambda one: one["keys"].update({which: secrets.token_urlsafe(24)})
    )
    return Reply()


def get_token(workspace: Workspace, call: Call) -> Reply:
    endpoint = find_endpoint(workspace, call.names["endpoint"])
    if auth_mode(endpoint) == "key":
        raise Refusal(400, "UserError", f"the endpoint {endpoint['name']} has keys, and no tokens")
    token, end = workspace.guard.token(MACHINE_LEARNING, call.caller)
    return Reply(
        body={
            "accessToken": token,
            "expiryTimeUtc": end,
            "refreshAfterTimeUtc": int(time.time()) + 3600,
            "tokenType": "Bearer",
        }
    )


def list_deployments(workspace: Workspace, call: Call) -> Reply:
    name = call.names["endpoint"]
    find_endpoint(workspace, name)
    return listing([_deployment(workspace, one) for one in workspace.store.all(DEPLOYMENTS, family=name)])


def get_deployment(workspace: Workspace, call: Call) -> Reply:
    return Reply(
        body=_deployment(
            workspace, find_deployment(workspace, call.names["endpoint"], call.names["deployment"])
        )
    )


def put_deployment(workspace: Workspace, call: Call) -> Reply:
    """Accepted at once; the operation it names says when it serves, or why it does not."""
    endpoint, name = call.names["endpoint"], checked_name(call.names["deployment"], "deployment")
    given = call.json()
    find_endpoint(workspace, endpoint)
    properties = given.get("properties") or {}
    bodies.ONLINE_DEPLOYMENT.check(properties)
    bodies.REQUEST_SETTINGS.check(properties.get("requestSettings") or {})
    _check_scale(properties)
    if str(properties.get("endpointComputeType", "Managed")).lower() != "managed":
        raise Refusal(501, "NotImplemented", "only managed deployments are emulated")
    if not properties.get("codeConfiguration"):
        raise Refusal(
            501, "NotImplemented", "deployments without a scoring script (MLflow no-code) are not emulated"
        )
    if curated.in_registry(properties.get("environmentId") or ""):
        Planner(workspace.store).environment(properties["environmentId"])
    before = workspace.store.get(DEPLOYMENTS, f"{endpoint}/{name}")
    if (
        before
        and "failed-stays" in workspace.strict
        and before["state"] == "Failed"
        and not before.get("served")
    ):
        raise Refusal(400, "UserError", f"{name} has failed and never served: delete it, and make it anew")
    document = {
        "endpoint": endpoint,
        "name": name,
        "properties": properties,
        "tags": given.get("tags") or {},
        "served": (before or {}).get("served", False),
        "serving": (before or {}).get("serving"),
        "sku": {"name": "Default", "capacity": 1} | (given.get("sku") or {}),
        "state": "Updating" if before else "Creating",
        "problem": None,
        "made": stamp((before or {}).get("made")),
    }
    workspace.store.put(DEPLOYMENTS, f"{endpoint}/{name}", document, family=endpoint)
    workspace.hosting.deploy(document)
    operation = workspace.operations.begin(
        "deployment", {"deployment": f"{endpoint}/{name}"}, path=call.path, fails=call.operation_fails
    )
    if workspace.operations.settings()["mode"] == "sync":
        workspace.operations.wait(operation)
        return Reply(
            status=200 if before else 201,
            body=_deployment(workspace, find_deployment(workspace, endpoint, name)),
        )
    return Reply(
        status=200 if before else 201,
        body=_deployment(workspace, document),
        headers=workspace.operations.headers(operation),
    )


def delete_deployment(workspace: Workspace, call: Call) -> Reply:
    endpoint, name = call.names["endpoint"], call.names["deployment"]
    found = workspace.store.get(ENDPOINTS, endpoint)
    if found and (found["properties"].get("traffic") or {}).get(name):
        raise Refusal(400, "UserError", f"{name} takes traffic of {endpoint}; set its traffic to 0 first")
    return Reply(status=200 if _remove(workspace, endpoint, name) else 204)


def get_logs(workspace: Workspace, call: Call) -> Reply:
    endpoint, name = call.names["endpoint"], call.names["deployment"]
    state = find_deployment(workspace, endpoint, name)["state"]
    if state in ("Creating", "Updating") and "logs-late" in workspace.strict:
        return Reply(body={"content": f"The logs of {name} can be read when it is no longer {state}."})
    return Reply(body={"content": workspace.hosting.log(endpoint, name, int(call.json().get("tail") or 100))})


def auth_mode(endpoint: Json) -> str:
    return str(endpoint["properties"].get("authMode") or "Key").lower()


def find_endpoint(workspace: Workspace, name: str) -> Json:
    found = workspace.store.get(ENDPOINTS, name)
    if found is None:
        raise not_found("online endpoint", name)
    return found


def find_deployment(workspace: Workspace, endpoint: str, name: str) -> Json:
    found = workspace.store.get(DEPLOYMENTS, f"{endpoint}/{name}")
    if found is None:
        raise not_found("online deployment", f"{endpoint}/{name}")
    return found


def _check_scale(properties: Json) -> None:
    scale = (properties.get("scaleSettings") or {}).get("scaleType", "Default")
    if str(scale).lower() != "default":
        raise Refusal(501, "NotImplemented", f"scaleType {scale!r}: deployments do not scale here")


def _check_traffic(workspace: Workspace, endpoint: str, kind: str, shares: Json) -> None:
    for name in shares:
        if workspace.store.get(DEPLOYMENTS, f"{endpoint}/{name}") is None:
            raise Refusal(400, "UserError", f"{kind} names {name!r}, which is not a deployment of {endpoint}")
        if not 0 <= int(shares[name]) <= 100:
            raise Refusal(400, "UserError", f"{kind} of {name}: {shares[name]} is not a percentage")
    total = sum(int(share) for share in shares.values())
    if kind == "traffic" and total not in (0, 100):
        raise Refusal(400, "UserError", f"traffic adds up to {total}; it must be 0 or 100")
    if kind == "mirrorTraffic" and (len(shares) > 1 or total > _MOST_MIRRORED):
        raise Refusal(
            400, "UserError", f"mirrorTraffic names one deployment, with {_MOST_MIRRORED} percent at most"
        )


def _remove(workspace: Workspace, endpoint: str, name: str) -> bool:
    removed = workspace.store.remove(DEPLOYMENTS, f"{endpoint}/{name}")
    workspace.hosting.remove(endpoint, name)
    return removed


def _endpoint(workspace: Workspace, one: Json) -> Json:
    base = f"{workspace.settings.base}/online/{one['name']}"
    properties = {"authMode": "Key", "properties": {}, "publicNetworkAccess": "Enabled"} | one["properties"]
    properties |= {
        "traffic": one["properties"].get("traffic") or {},
        "mirrorTraffic": one["properties"].get("mirrorTraffic") or {},
        "scoringUri": f"{base}/score",
        "swaggerUri": f"{base}/swagger.json",
        "provisioningState": "Succeeded",
    }
    identity = {
        "type": "SystemAssigned",
        "principalId": workspace.settings.workspace_id,
        "tenantId": workspace.settings.workspace_id,
    }
    return resource(
        workspace.settings, f"{ENDPOINTS}/{one['name']}", ENDPOINTS, properties, one["made"],
        location=LOCATION, tags=one["tags"], identity=identity, kind="Managed",
    )  # fmt: skip


def _deployment(workspace: Workspace, one: Json) -> Json:
    properties = {"endpointComputeType": "Managed", "properties": {}} | one["properties"]
    properties |= {"provisioningState": one["state"], "scaleSettings": {"scaleType": "Default"}}
    path = f"{ENDPOINTS}/{one['endpoint']}/deployments/{one['name']}"
    return resource(
        workspace.settings, path, f"{ENDPOINTS}/deployments", properties, one["made"],
        location=LOCATION, tags=one["tags"], sku=one["sku"],
    )  # fmt: skip
