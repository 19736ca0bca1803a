"""A step's client of the workspace it runs in, and its way to the model registry."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def client() -> Any:
    """An MLClient with the compute's managed identity; Azure ML sets in every step's environment where it runs."""
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    return MLClient(
        DefaultAzureCredential(),
        os.environ["AZUREML_ARM_SUBSCRIPTION"],
        os.environ["AZUREML_ARM_RESOURCEGROUP"],
        os.environ["AZUREML_ARM_WORKSPACE_NAME"],
    )


def download_model(name: str, version: str, folder: Path) -> Path:
    """The registered model's files, somewhere under the folder."""
    client().models.download(name=name, version=version, download_path=str(folder))
    return folder / name
