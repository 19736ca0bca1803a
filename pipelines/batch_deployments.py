"""Batch deployments of pipeline components, by plain REST: `azure-ai-ml` asks for them by a preview version of the API, and
Azure takes those of batch endpoints back.

source: Microsoft's list of services that end (Batch Endpoints Preview APIs, 2026-03-16); ARM's reference of
`batchEndpoints/deployments`, which has `deploymentConfiguration` from 2024-04-01 on
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

API_VERSION = "2024-04-01"
POLL_SECONDS = 1.0
"""Between two looks at an operation under way, where the service asks for no other time."""
LONGEST_SECONDS = 1800.0


class DeploymentFailed(Exception):
    """The deployment was accepted, and then not made; the message is the service's."""


def is_there(client: Any, endpoint: str, name: str) -> bool:
    """client: an azure.ai.ml.MLClient; raises: HttpResponseError"""
    answer = _send(client, "GET", _path(client, endpoint, name))
    return bool(answer.status_code != 404)


def deploy(client: Any, endpoint: str, name: str, *, component: Any, compute: str) -> None:
    """Waits until it is made. component: a registered pipeline component

    raises: HttpResponseError; DeploymentFailed
    """
    made = client.batch_endpoints.get(endpoint)
    configuration = {
        "deploymentConfigurationType": "PipelineComponent",
        "componentId": {"referenceType": "Id", "assetId": component.id},
        "settings": {"default_compute": compute},
    }
    body = {"location": made.location, "properties": {"deploymentConfiguration": configuration}}
    answer = _send(client, "PUT", _path(client, endpoint, name), body)
    if operation := answer.headers.get("Azure-AsyncOperation"):
        _wait(client, operation)


def _wait(client: Any, operation: str) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        answer = _send(client, "GET", operation)
        told = answer.json()
        if told["status"] == "Succeeded":
            return
        if told["status"] in ("Failed", "Canceled"):
            error = told.get("error") or {}
            raise DeploymentFailed(f"the deployment ended as {told['status']}: {error.get('message')}")
        if time.monotonic() > deadline:
            raise DeploymentFailed(f"the deployment was {told['status']} after {LONGEST_SECONDS:.0f} s")
        time.sleep(float(answer.headers.get("Retry-After") or POLL_SECONDS))


def _path(client: Any, endpoint: str, name: str) -> str:
    return (
        f"/subscriptions/{client.subscription_id}/resourceGroups/{client.resource_group_name}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{client.workspace_name}"
        f"/batchEndpoints/{endpoint}/deployments/{name}?api-version={API_VERSION}"
    )


def _send(client: Any, method: str, url: str, body: Mapping[str, Any] | None = None) -> Any:
    """By the SDK's own way to the cloud: its address, credential, and retries. 404 is an answer to a GET."""
    from azure.core.rest import HttpRequest

    answer = client._service_client_01_2024_preview_arm.send_request(HttpRequest(method, url, json=body))
    if not (method == "GET" and answer.status_code == 404):
        answer.raise_for_status()
    return answer
