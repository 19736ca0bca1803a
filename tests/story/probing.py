"""Asks a running stack again for what an identity asked it for: the status says whether its roles allow that now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import requests

from commands.stack.settings import sdk_settings
from commands.stack.state import Stack
from shared.resources.identities import Identity
from tests.story.with_roles import Call

BLOCK = {"x-ms-blob-type": "BlockBlob"}
STORAGE: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "Get Blob": ("blob", "GET", "/probe", {}),
    "Get Blob Properties": ("blob", "HEAD", "/probe", {}),
    "List Blobs": ("blob", "GET", "?restype=container&comp=list", {}),
    "Put Blob": ("blob", "PUT", "/probe", BLOCK),
    "Delete Blob": ("blob", "DELETE", "/probe", {}),
    "Lease Blob": ("blob", "PUT", "/probe?comp=lease", {"x-ms-lease-action": "break"}),
    "Create Container": ("blob", "PUT", "?restype=container", {}),
    "Get Queue Metadata": ("queue", "GET", "?comp=metadata", {}),
    "Get Messages": ("queue", "GET", "/messages?visibilitytimeout=1", {}),
    "Put Message": ("queue", "POST", "/messages", {}),
    "Delete Message": ("queue", "DELETE", "/messages/none?popreceipt=none", {}),
    "Query Entities": ("table", "GET", "()", {"Accept": "application/json"}),
    "Insert Entity": (
        "table",
        "POST",
        "",
        {"Accept": "application/json", "Content-Type": "application/json"},
    ),
    "Delete Entity": ("table", "DELETE", "(PartitionKey='probe',RowKey='probe')", {"If-Match": "*"}),
}
"""By the operation: its service, and a request of that kind that harms nothing."""
HOST_CONTAINER = "azure-webjobs-hosts"


@dataclass(frozen=True)
class Prober:
    """Signs in as whoever made a call, and makes it again."""

    stack: Stack
    identities: dict[str, Identity]

    def status(self, call: Call) -> int | None:
        """What a call like this is answered now; None for one that only the embedded Azure itself makes."""
        if call.name in STORAGE:
            return self._storage(call)
        if call.name.startswith("GET {WS}"):
            return self._workspace(call)
        return None

    def first(self, calls: Iterable[Call]) -> Call | None:
        return next((call for call in calls if self.status(call) is not None), None)

    def _storage(self, call: Call) -> int:
        service, method, suffix, headers = STORAGE[call.name]
        resource = call.ways[0][0].resource
        on = resource.rpartition("/")[2]
        account = resource.partition("/storageAccounts/")[2].partition("/")[0]
        known = account if account in ("campanhawork", "campanhaapi") else "devstoreaccount1"
        url = f"https://127.0.0.1:{self.stack.ports[service]}/{known}/{on}{suffix}"
        return self._asked(
            call, method, url, "https://storage.azure.com", {"x-ms-version": "2021-12-02", **headers}
        )

    def _workspace(self, call: Call) -> int:
        path = call.name.removeprefix("GET {WS}").replace("{kind:kind}", call.ways[0][0].action.split("/")[2])
        url = f"{self.stack.workspace_url}{self.stack.workspace_id}{path.replace('{', '').replace('}', '')}"
        return self._asked(call, "GET", url, "https://management.azure.com", {})

    def _asked(self, call: Call, method: str, url: str, audience: str, headers: dict[str, str]) -> int:
        settings = sdk_settings(self.stack, self.identities[call.identity])
        token = requests.get(
            settings["IDENTITY_ENDPOINT"],
            params={"api-version": "2019-08-01", "resource": audience},
            headers={"X-IDENTITY-HEADER": settings["IDENTITY_HEADER"]},
            timeout=30,
        ).json()["access_token"]
        answer = requests.request(
            method, url, headers={"Authorization": f"Bearer {token}", **headers},
            verify=settings["REQUESTS_CA_BUNDLE"], timeout=30,
        )  # fmt: skip
        return answer.status_code
