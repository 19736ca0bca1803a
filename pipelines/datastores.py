"""The datastores of scored files and of found recipes, identity-based: by them runs' outputs go to their containers.

They hold no credential: on Azure the cluster's own identity must be allowed to write there (Storage Blob Data
Contributor on the two containers).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pipelines.tally import Tally
from shared.domain.names import RECIPES, RECIPES_DATASTORE, SCORED, SCORED_DATASTORE

CONTAINERS = {SCORED_DATASTORE: SCORED, RECIPES_DATASTORE: RECIPES}


def publish_stores(client: Any, storage: str, tally: Tally) -> None:
    """storage: the account's blob address, or its connection string"""
    for name, container in CONTAINERS.items():
        _publish(client, name, container, storage, tally)


def _publish(client: Any, name: str, container: str, storage: str, tally: Tally) -> None:
    from azure.ai.ml.entities import AzureBlobDatastore
    from azure.core.exceptions import ResourceNotFoundError

    try:
        client.datastores.get(name)
    except ResourceNotFoundError:
        store = AzureBlobDatastore(name=name, container_name=container, **place_of(storage))
        client.datastores.create_or_update(store)
        tally.made(f"datastore {name}")
        return
    tally.there(f"datastore {name}")


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
