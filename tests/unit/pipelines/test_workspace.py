"""A step's way to the workspace it runs in: by what Azure ML tells every step, and the compute's identity."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.identity
import pytest

from pipelines import workspace

pytestmark = pytest.mark.filterwarnings("ignore:.*")  # the SDK warns about its own internals
TOLD = {
    "AZUREML_ARM_SUBSCRIPTION": "s",
    "AZUREML_ARM_RESOURCEGROUP": "g",
    "AZUREML_ARM_WORKSPACE_NAME": "w",
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TOLD.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("told")
def test_a_client_is_of_the_steps_own_workspace() -> None:
    client = workspace.client()
    assert (client.subscription_id, client.resource_group_name, client.workspace_name) == ("s", "g", "w")
    assert type(client._credential).__name__ == "DefaultAzureCredential"


@pytest.mark.usefixtures("told")
def test_a_step_signs_in_with_its_clusters_own_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DEFAULT_IDENTITY_CLIENT_ID", "the-cluster")
    asked: list[dict[str, str]] = []
    real = azure.identity.DefaultAzureCredential

    def made(**given: str) -> azure.identity.DefaultAzureCredential:
        asked.append(given)
        return real(**given)

    monkeypatch.setattr(azure.identity, "DefaultAzureCredential", made)
    workspace.client()
    assert asked == [{"managed_identity_client_id": "the-cluster"}]


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("name", TOLD)
def test_outside_of_a_run_there_is_no_workspace(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(KeyError, match=name):
        workspace.client()


def test_a_model_is_fetched_into_a_folder_of_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[dict[str, Any]] = []
    models = SimpleNamespace(download=lambda **given: asked.append(given))
    monkeypatch.setattr(workspace, "client", lambda: SimpleNamespace(models=models))
    assert workspace.download_model("bank", "7", tmp_path) == tmp_path / "bank"
    assert asked == [{"name": "bank", "version": "7", "download_path": str(tmp_path)}]
