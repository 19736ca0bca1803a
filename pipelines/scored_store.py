"""The datastore of scored files, identity-based: by it a run's output goes to their container.

It holds no credential: on Azure the cluster's own identity must be allowed to write there (Storage Blob Data
Contributor on the data account).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pipelines.tally import Tally
from shared.domain.names import SCORED, SCORED_DATASTORE


def publish_store(client: Any, storage: str, tally: Tally) -> None:
    """storage: the account's blob address, or its connection string"""
    from azure.ai.ml.entities import AzureBlobDatastore
    from azure.core.exceptions import ResourceNotFoundError

    try:
        client.datastores.get(SCORED_DATASTORE)
    except ResourceNotFoundError:
        store = AzureBlobDatastore(name=SCORED_DATASTORE, container_name=SCORED, **place_of(storage))
        client.datastores.create_or_update(store)
        tally.made(f"datastore {SCORED_DATASTORE}")
        return
    tally.there(f"datastore {SCORED_DATASTORE}")


def place_of(storage: str) -> dict[str, str]:
    """The account as a datastore names it: https://<account_name>.blob.<endpoint>, or <endpoint>/<account_name>."""
    address = urlsplit(_blob_address(storage))
    account, _, endpoint = address.netloc.partition(".blob.")
    if not endpoint:
        account, endpoint = address.path.strip("/"), address.netloc
    return {"account_name": account, "endpoint": endpoint, "protocol": address.scheme}


def _blob_address(storage: str) -> str:
    if "=" not in storage:
        return storage
    given = dict(part.split("=", 1) for part in storage.split(";") if "=" in part)
    if "BlobEndpoint" in given:
        return given["BlobEndpoint"]
    if "AccountName" not in given:
        raise ValueError("the connection string names no account; give the address of its blobs instead")
    suffix = given.get("EndpointSuffix", "core.windows.net")
    return f"{given.get('DefaultEndpointsProtocol', 'https')}://{given['AccountName']}.blob.{suffix}"
