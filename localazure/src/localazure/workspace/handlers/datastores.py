"""Datastores: the two every workspace has, and more of the same account."""

from __future__ import annotations

from localazure.workspace import bodies
from localazure.workspace.store.uris import ARTIFACTS, FILES
from localazure.workspace.wire.calls import Call, Json, Refusal, Reply, listing, not_found
from localazure.workspace.wire.resources import resource, stamp
from localazure.workspace.workspace import Workspace


def prepare(workspace: Workspace) -> None:
    """The default datastores and their containers, made at the first start."""
    for name, container in (
        (FILES, f"azureml-blobstore-{workspace.settings.workspace_id}"),
        (ARTIFACTS, "azureml"),
    ):
        workspace.blobs.ensure(container)
        properties = {"containerName": container, "isDefault": name == FILES}
        workspace.store.add("datastores", name, {"name": name, "properties": properties, "made": stamp()})


def list_all(workspace: Workspace, call: Call) -> Reply:
    only_default = call.query.get("isDefault", "").lower() == "true"
    stores = workspace.store.all("datastores")
    return listing(
        [_told(workspace, one) for one in stores if one["properties"].get("isDefault") or not only_default]
    )


def get(workspace: Workspace, call: Call) -> Reply:
    return Reply(body=_told(workspace, _find(workspace, call)))


def put(workspace: Workspace, call: Call) -> Reply:
    """Blob datastores of this account only."""
    name, given = call.names["name"], call.json().get("properties") or {}
    if given.get("datastoreType") != "AzureBlob" or not given.get("containerName"):
        raise Refusal(501, "NotImplemented", "datastores other than AzureBlob are not emulated")
    bodies.DATASTORE.check(given)
    workspace.blobs.ensure(given["containerName"])
    properties = {key: given.get(key) for key in ("containerName", "description", "tags")} | {
        "isDefault": False
    }
    document = {"name": name, "properties": properties, "made": stamp()}
    new = workspace.store.put("datastores", name, document)
    return Reply(status=201 if new else 200, body=_told(workspace, document))


def delete(workspace: Workspace, call: Call) -> Reply:
    return Reply(status=200 if workspace.store.remove("datastores", call.names["name"]) else 204)


def list_secrets(workspace: Workspace, call: Call) -> Reply:
    """A signature that ends when it is asked for, as the SDK does; else the account's (public) key."""
    _find(workspace, call)
    if is_keyless(workspace):
        raise Refusal(
            400, "UserError", f"the datastore {call.names['name']} is identity-based: it has no secrets"
        )
    if call.json().get("expirableSecret"):
        return Reply(body={"secretsType": "Sas", "sasToken": workspace.blobs.account_access()})
    return Reply(body={"secretsType": "AccountKey", "key": workspace.blobs.key})


def is_keyless(workspace: Workspace) -> bool:
    """Whether the account takes no keys, so that datastores hold no credential."""
    return workspace.guard.access is not None or "keyless" in workspace.strict


def _find(workspace: Workspace, call: Call) -> Json:
    found = workspace.store.get("datastores", call.names["name"])
    if found is None:
        raise not_found("datastore", call.names["name"])
    return found


def _told(workspace: Workspace, one: Json) -> Json:
    properties = {
        "datastoreType": "AzureBlob",
        "accountName": account_name(workspace),
        "endpoint": "core.windows.net",
        "protocol": "https",
        "credentials": {"credentialsType": "None" if is_keyless(workspace) else "AccountKey"},
        "description": None,
        "tags": {},
        "properties": {},
        "serviceDataAccessAuthIdentity": "None",
    }
    properties |= {key: value for key, value in one["properties"].items() if value is not None}
    return resource(workspace.settings, f"datastores/{one['name']}", "datastores", properties, one["made"])


def account_name(workspace: Workspace) -> str:
    """Azure's clients build `https://{accountName}.blob.core.windows.net`; this makes that our blob front.

    The unknown query is dropped by azure-storage-blob, what stands before it is host, port and account.
    """
    access = workspace.guard.access
    if access is not None:  # where roles count, clients sign in to the account itself
        return f"{access.book.endpoints['blob'].removeprefix('https://')}?x="
    return f"127.0.0.1:{workspace.settings.port}/{workspace.blobs.account}?x="
