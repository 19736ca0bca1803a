"""The access file of a stack with roles: the identities, and the role assignments of `infra/` on what stands for Azure.

Nothing is assigned here but to `person`, who is no part of a deployment: whoever drops files and reads scores has in
Azure what roles the bank gives.
"""

from __future__ import annotations

import json
import os
import secrets
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from commands import ROOT
from commands.stack.state import Stack
from localazure.storage.account import ACCOUNT
from shared.resources import assignments, identities, roles
from shared.resources.assignments import ASSIGNMENTS, Assignment
from shared.resources.events import OUTGOING, STORAGE, WORKSPACE
from shared.resources.identities import Identity

PERSON = Identity(name="person", who="whoever drops files and looks at scores", user_assigned=False)
DEFINITIONS = ROOT / "infra" / "facts" / "roles.json"
ACCOUNTS = {
    ACCOUNT: "the data account",
    "campanhawork": "of the host of `work`",
    "campanhaapi": "of the host of `api`",
}
"""Storage accounts that there are; the workspace's own lies in the data account, and its containers are told by name."""
HOST_ACCOUNTS = {assignments.HOST_OF_WORK: "campanhawork", assignments.HOST_OF_API: "campanhaapi"}
_WORKSPACE_ACCOUNT = "campanhaworkspace"
_WORKSPACE_CONTAINERS = ("azureml", r"azureml-blobstore-.*", r"[0-9a-f]{8}-[0-9a-f]{32}")
"""The two default datastores, and what code is uploaded to."""
_NAMES = uuid.UUID("0c1bd0a5-3a5c-4e0e-9a51-93d1d7b0f6ce")


def write_access(stack: Stack) -> None:
    """STATE/access.json, as `localazure --access` reads it."""
    text = json.dumps(book(stack), indent=1)
    file = stack.access_file
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return
    beside = file.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
        written.write(text)
    beside.replace(file)


def book(stack: Stack, assigned: Iterable[Assignment] = ASSIGNMENTS) -> dict[str, Any]:
    """The file's content. assigned: what of `infra/` is assigned"""
    accounts = {name: _resource(stack, f"Microsoft.Storage/storageAccounts/{name}") for name in ACCOUNTS}
    workspace_account = _resource(stack, f"Microsoft.Storage/storageAccounts/{_WORKSPACE_ACCOUNT}")
    return {
        "key": stack.signing_key,
        "identities": {each.name: _signs_in(stack, each) for each in (*identities.IDENTITIES, PERSON)},
        "roles": _definitions(),
        "assignments": [*_assigned(stack, assigned), *_persons(stack)],
        "accounts": accounts,
        "containers": [[pattern, workspace_account] for pattern in _WORKSPACE_CONTAINERS],
        "endpoints": {service: data_address(stack, service) for service in ("blob", "queue", "table")},
        "acts": {
            "compute": identities.CLUSTER.name,
            "endpoint": identities.ENDPOINT.name,
            f"topic:{STORAGE}": identities.STORAGE_TOPIC.name,
            f"topic:{WORKSPACE}": identities.WORKSPACE_TOPIC.name,
        },
        "scopes": {
            "registry": resource_id(stack, assignments.REGISTRY, ""),
            "workspace account": workspace_account,
            "insights": resource_id(stack, assignments.INSIGHTS, ""),
        },
    }


def client_id(identity: Identity) -> str:
    """What AZURE_CLIENT_ID names."""
    return str(uuid.uuid5(_NAMES, f"client {identity.name}"))


def identity_header(stack: Stack, identity: Identity) -> str:
    return stack.identity_secrets[identity.name]


def identity_id(stack: Stack, identity: Identity) -> str:
    """The resource id of a user-assigned identity."""
    return resource_id(stack, assignments.IDENTITY, identity.name)


def data_address(stack: Stack, service: str, account: str = ACCOUNT) -> str:
    """Where a service of an account takes tokens."""
    return f"https://127.0.0.1:{stack.ports[service]}/{account}"


def new_secrets() -> dict[str, str]:
    """What each identity shows to be given its tokens."""
    return {each.name: secrets.token_urlsafe(32) for each in (*identities.IDENTITIES, PERSON)}


def _signs_in(stack: Stack, identity: Identity) -> dict[str, str]:
    return {
        "client": client_id(identity),
        "principal": str(uuid.uuid5(_NAMES, f"principal {identity.name}")),
        "secret": identity_header(stack, identity),
        "resource": identity_id(stack, identity) if identity.user_assigned else "",
    }


def _definitions() -> dict[str, Any]:
    """Microsoft's, as they are held for the checks of `infra/`, and our own."""
    built_in: dict[str, Any] = json.loads(DEFINITIONS.read_text(encoding="utf-8"))
    return {**built_in, **{role.name: {"actions": list(role.actions)} for role in roles.CUSTOM}}


def _assigned(stack: Stack, assigned: Iterable[Assignment]) -> Iterator[dict[str, str]]:
    for each in assigned:
        yield {
            "identity": each.identity.name,
            "role": each.role,
            "scope": resource_id(stack, each.scope, each.on),
        }


def _persons(stack: Stack) -> Iterator[dict[str, str]]:
    of_workspace = _resource(stack, f"Microsoft.Storage/storageAccounts/{_WORKSPACE_ACCOUNT}")
    for role, scope in (
        (roles.BLOB_CONTRIBUTOR, _resource(stack, f"Microsoft.Storage/storageAccounts/{ACCOUNT}")),
        (roles.BLOB_CONTRIBUTOR, of_workspace),
        (roles.DATA_SCIENTIST, stack.workspace_id),
    ):
        yield {"identity": PERSON.name, "role": role, "scope": scope}


def resource_id(stack: Stack, kind: str, on: str) -> str:
    """The resource id of what a role is assigned on."""
    data = f"Microsoft.Storage/storageAccounts/{ACCOUNT}"
    accounts = {**HOST_ACCOUNTS, assignments.WORKSPACE_ACCOUNT: _WORKSPACE_ACCOUNT}
    places = {
        assignments.CONTAINER: f"{data}/blobServices/default/containers/{on}",
        assignments.QUEUE: f"{data}/queueServices/default/queues/{on}",
        assignments.TABLE: f"{data}/tableServices/default/tables/{on}",
        assignments.ACCOUNT: f"Microsoft.Storage/storageAccounts/{accounts.get(on, on)}",
        assignments.WORKSPACE: f"Microsoft.MachineLearningServices/workspaces/{stack.workspace}",
        assignments.REGISTRY: "Microsoft.ContainerRegistry/registries/campanha",
        assignments.TOPIC: f"Microsoft.EventGrid/topics/{OUTGOING}",
        assignments.INSIGHTS: "Microsoft.Insights/components/campanha",
        assignments.IDENTITY: f"Microsoft.ManagedIdentity/userAssignedIdentities/{on}",
    }
    return _resource(stack, places[kind])


def _resource(stack: Stack, below: str) -> str:
    return f"{stack.resource_group_id}/providers/{below}"
