"""After a deployment: the pipelines are published, the endpoints are made, a canary goes round. Again is no harm."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from commands.deployment import canary
from commands.deployment.patience import Patience
from shared.adapters import sign_in
from shared.adapters.azureml import AzureWorkspace
from shared.adapters.contracts import load_contracts
from shared.adapters.ml_client import without_blank_lines
from shared.domain.names import endpoint_name
from shared.package_data import CONTRACTS

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared.settings import Settings


def publish(settings: Settings, patience: Patience) -> int:
    """The pipelines and the endpoints; the exit code."""
    workspace = AzureWorkspace(settings, sign_in.credential())
    _publish(settings, workspace, patience)
    for contract in load_contracts(CONTRACTS, endpoint_prefix=settings.endpoint_prefix):
        name = endpoint_name(settings.endpoint_prefix, contract.dataset)
        patience.until_let_in(f"the endpoint {name}", lambda name=name: workspace.ensure_endpoint(name))  # type: ignore[misc]
        print(f"endpoint {name} is there")
    return 0


def after(settings: Settings, patience: Patience) -> int:
    """The same, and a canary. The exit code: 1 when it was not heard of."""
    publish(settings, patience)
    credential = sign_in.credential()
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    sung = canary.sing(_storage(settings, credential), name, patience)
    if sung is None:
        print(
            f"The canary {canary.PREFIX}{name}.csv was dropped, and the app said nothing of it in {patience.minutes:g}"
            " minutes. Has the app functions (the portal lists them)? Does Event Grid deliver (its topic's metrics; dead"
            " letters lie in event-dead-letters)? The app's log says more.",
            file=sys.stderr,
        )
        return 1
    print(f"the canary {sung.name} went round: {sung.reason}")
    return 0


def _publish(settings: Settings, workspace: AzureWorkspace, patience: Patience) -> None:
    from pipelines import publish as pipelines

    key = settings.campanha_storage
    storage = key.get_secret_value() if key else str(settings.blob_uri)
    compute = os.environ.get("AZUREML_COMPUTE") or pipelines.COMPUTE
    with without_blank_lines():
        patience.until_let_in(
            "publishing the pipelines",
            lambda: pipelines.publish(workspace.client, storage=storage, compute=compute),
        )


def _storage(settings: Settings, credential: TokenCredential) -> Any:
    from azure.storage.blob import BlobServiceClient

    if settings.campanha_storage:
        return BlobServiceClient.from_connection_string(settings.campanha_storage.get_secret_value())
    return BlobServiceClient(str(settings.blob_uri), credential=credential)
