"""What the workspace says of itself: the resource, service discovery, computes, health."""

from __future__ import annotations

from localazure.workspace.settings import LOCATION
from localazure.workspace.wire.calls import Call, Json, Reply, listing
from localazure.workspace.wire.resources import resource
from localazure.workspace.workspace import Workspace

_MADE = {
    "createdAt": "2026-01-01T00:00:00.000000Z",
    "createdBy": "localazure",
    "createdByType": "Application",
}
_COMPUTES = ("serverless", "cpu-cluster")


def health(workspace: Workspace, call: Call) -> Reply:
    return Reply(body={"status": "ok", "workspace": workspace.settings.workspace})


def get_workspace(workspace: Workspace, call: Call) -> Reply:
    of = workspace.settings
    properties = {
        "workspaceId": of.workspace_id,
        "friendlyName": of.workspace,
        "discoveryUrl": f"{of.base}/discovery",
        "mlFlowTrackingUri": of.tracking_uri,
        "provisioningState": "Succeeded",
        "publicNetworkAccess": "Enabled",
        "storageAccount": f"/subscriptions/{of.subscription}/resourceGroups/{of.resource_group}"
        f"/providers/Microsoft.Storage/storageAccounts/{workspace.blobs.account}",
    }
    told = resource(of, "", "", properties, _MADE)
    return Reply(
        body=told
        | {
            "id": of.resource_id,
            "name": of.workspace,
            "type": "Microsoft.MachineLearningServices/workspaces",
            "location": LOCATION,
            "identity": {
                "type": "SystemAssigned",
                "principalId": of.workspace_id,
                "tenantId": of.workspace_id,
            },
            "sku": {"name": "Basic", "tier": "Basic"},
            "tags": {},
        }
    )


def discover(workspace: Workspace, call: Call) -> Reply:
    """Every data-plane service is at the same address here."""
    base = workspace.settings.base
    services = ("api", "history", "pipelines", "modelmanagement", "experimentation", "jobs", "studio")
    return Reply(body=dict.fromkeys(services, base))


def operation_status(workspace: Workspace, call: Call) -> Reply:
    """How far a long-running operation is."""
    return workspace.operations.status(call)


def operation_result(workspace: Workspace, call: Call) -> Reply:
    """Nothing more, once a long-running operation is over."""
    return workspace.operations.result(call)


def list_computes(workspace: Workspace, call: Call) -> Reply:
    return listing([_compute(workspace, name) for name in _COMPUTES])


def get_compute(workspace: Workspace, call: Call) -> Reply:
    """Any name will do: every job runs on this machine."""
    return Reply(body=_compute(workspace, call.names["name"]))


def _compute(workspace: Workspace, name: str) -> Json:
    scale = {"minNodeCount": 0, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT120S"}
    properties = {
        "computeType": "AmlCompute",
        "provisioningState": "Succeeded",
        "properties": {
            "vmSize": "LOCAL",
            "vmPriority": "Dedicated",
            "scaleSettings": scale,
            "osType": "Linux",
        },
    }
    return resource(workspace.settings, f"computes/{name}", "computes", properties, _MADE, location=LOCATION)
