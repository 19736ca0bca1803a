"""A step's way to the model registry of the workspace it runs in.

By plain REST: `azure.ai.ml` takes two seconds of a processor to import, all else that the step does not one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core import PipelineClient
    from azure.core.credentials import TokenCredential
    from azure.core.rest import HttpResponse

AZURE = "https://management.azure.com"
ADDRESS = "AZUREML_DEV_URL_MFE"
"""Says where else Azure ML is than in public Azure, to its SDK too."""
API_VERSION = "2024-10-01"


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The registered models of one workspace."""

    client: PipelineClient[Any, Any]
    workspace: str
    """Its address."""

    def find(self, name: str, version: str) -> dict[str, Any] | None:
        """The version's properties; None when there is no such version. raises: AzureError"""
        answer = self._send("GET", name, version)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()["properties"]
        return found

    def add(self, name: str, version: str, properties: dict[str, Any]) -> None:
        """raises: AzureError, also for a version that is there with other files"""
        self._send("PUT", name, version, json={"properties": properties}).raise_for_status()

    def _send(self, method: str, name: str, version: str, **body: Any) -> HttpResponse:
        from azure.core.rest import HttpRequest

        address = f"{self.workspace}/models/{name}/versions/{version}"
        request = HttpRequest(method, address, params={"api-version": API_VERSION}, **body)
        answer: HttpResponse = self.client.send_request(request)
        return answer


def registry(credential: TokenCredential | None = None) -> Registry:
    """Of the workspace that Azure ML names in every step's environment.

    credential: the compute's managed identity unless given; on a cluster with an identity of its own Azure ML says which
    that is, and nothing finds it without
    """
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy
    from azure.identity import DefaultAzureCredential

    mine = os.environ.get("DEFAULT_IDENTITY_CLIENT_ID")
    given = credential or DefaultAzureCredential(**({"managed_identity_client_id": mine} if mine else {}))
    signed = BearerTokenCredentialPolicy(given, f"{AZURE}/.default")
    workspace = (
        f"{os.environ.get(ADDRESS) or AZURE}/subscriptions/{os.environ['AZUREML_ARM_SUBSCRIPTION']}"
        f"/resourceGroups/{os.environ['AZUREML_ARM_RESOURCEGROUP']}"
        "/providers/Microsoft.MachineLearningServices"
        f"/workspaces/{os.environ['AZUREML_ARM_WORKSPACE_NAME']}"
    )
    client: PipelineClient[Any, Any] = PipelineClient(workspace, policies=[RetryPolicy(), signed])
    return Registry(client=client, workspace=workspace)
