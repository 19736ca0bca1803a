"""A step's client of the workspace it runs in, and its way to the model registry."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def client() -> Any:
    """An MLClient with the compute's managed identity; Azure ML sets in every step's environment where it runs.

    On a cluster with an identity of its own it says which that is, and nothing finds it without.
    """
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    mine = os.environ.get("DEFAULT_IDENTITY_CLIENT_ID")
    return MLClient(
        DefaultAzureCredential(**({"managed_identity_client_id": mine} if mine else {})),
        os.environ["AZUREML_ARM_SUBSCRIPTION"],
        os.environ["AZUREML_ARM_RESOURCEGROUP"],
        os.environ["AZUREML_ARM_WORKSPACE_NAME"],
    )


def download_model(name: str, version: str, folder: Path) -> Path:
    """The registered model's files, somewhere under the folder."""
    client().models.download(name=name, version=version, download_path=str(folder))
    return folder / name


MOST_LOOKED_BACK = 20
"""Versions without a model, as their runs failed, that are looked past for an earlier one."""


def download_newest_before(name: str, version: int, folder: Path) -> Path | None:
    """The files of the registered model with the greatest version below this one; None when there is none near."""
    from azure.core.exceptions import ResourceNotFoundError

    registry = client().models
    for earlier in range(version - 1, max(version - 1 - MOST_LOOKED_BACK, 0), -1):
        try:
            registry.get(name=name, version=str(earlier))
        except ResourceNotFoundError:
            continue
        return download_model(name, str(earlier), folder)
    return None
