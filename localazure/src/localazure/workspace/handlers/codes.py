"""Source code uploads: found again by their hash, each in a container of its own."""

from __future__ import annotations

import uuid

from localazure.access.access import Refused
from localazure.access.policy import Need
from localazure.storage.operations import BLOBS, CONTAINERS
from localazure.workspace import bodies
from localazure.workspace.wire.calls import Call, Json, Refusal, Reply, listing, not_found
from localazure.workspace.wire.resources import resource, stamp
from localazure.workspace.workspace import Workspace


def list_versions(workspace: Workspace, call: Call) -> Reply:
    """Clients look for a hash under a name they have just made up, so the name says nothing."""
    wanted = call.query.get("hash")
    codes = workspace.store.all("codes/versions", family=None if wanted else call.names["name"])
    if wanted:
        codes = [
            one for one in codes if one["properties"].get("properties", {}).get("hash_sha256") == wanted
        ][-1:]
    return listing([_told(workspace, one) for one in codes])


def get_version(workspace: Workspace, call: Call) -> Reply:
    key = f"{call.names['name']}:{call.names['version']}"
    found = workspace.store.get("codes/versions", key)
    if found is None:
        raise not_found("codes", key)
    return Reply(body=_told(workspace, found))


def put_version(workspace: Workspace, call: Call) -> Reply:
    name, version = call.names["name"], call.names["version"]
    given = call.json().get("properties") or {}
    bodies.CODE.check(given)
    document = {"name": name, "version": version, "properties": given, "made": stamp()}
    new = workspace.store.put("codes/versions", f"{name}:{version}", document, family=name)
    return Reply(status=201 if new else 200, body=_told(workspace, document))


def start_upload(workspace: Workspace, call: Call) -> Reply:
    """A fresh container and a shared access signature for it."""
    _check_own_storage(workspace, call)
    container = f"{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex}"
    workspace.blobs.ensure(container)
    uri = f"{workspace.settings.base}/{workspace.blobs.account}/{container}"
    account = (
        f"/subscriptions/{workspace.settings.subscription}/resourceGroups/{workspace.settings.resource_group}"
        f"/providers/Microsoft.Storage/storageAccounts/{workspace.blobs.account}"
    )
    return Reply(
        body={
            "blobReferenceForConsumption": {
                "blobUri": uri,
                "storageAccountArmId": account,
                "credential": {
                    "credentialType": "SAS",
                    "sasUri": f"{uri}?{workspace.blobs.account_access()}",
                },
            },
            "pendingUploadId": str(uuid.uuid4()),
            "pendingUploadType": "TemporaryBlobReference",
        }
    )


def _check_own_storage(workspace: Workspace, call: Call) -> None:
    """The container is made, and the signature given, in the name of the caller, whose role on the workspace's account
    must allow that: reported of workspaces whose datastores have no keys."""
    access = workspace.guard.access
    if access is None or call.caller is None:
        return
    account = access.book.scopes["workspace account"]
    needs = (Need(f"{CONTAINERS}/write", account), Need(f"{BLOBS}/write", account, is_data=True))
    try:
        access.check(call.caller, "make a container for code", [needs])
    except Refused as problem:
        raise Refusal(403, "AuthorizationFailed", problem.arm_message()) from problem


def _told(workspace: Workspace, one: Json) -> Json:
    path = f"codes/{one['name']}/versions/{one['version']}"
    properties = one["properties"] | {"provisioningState": "Succeeded"}
    return resource(workspace.settings, path, "codes/versions", properties, one["made"])
