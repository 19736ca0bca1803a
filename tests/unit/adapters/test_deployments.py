"""What a deployment is asked for with, by the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from pydantic import SecretStr

from shared.adapters.azureml import AzureWorkspace
from shared.ports import DeploymentPlan
from shared.settings import Settings

PLAN = DeploymentPlan(endpoint="campanha-bank", deployment="model-1", model="bank", version=1)

SETTINGS = Settings(
    campanha_storage=SecretStr("-"),
    azure_subscription_id="-",
    azure_resource_group="-",
    azureml_workspace="-",
)


@pytest.mark.filterwarnings("ignore:.*")  # the SDK's of its own parts
@pytest.mark.parametrize(("given", "told"), [({}, False), ({"serving_app_insights": "on"}, True)])
def test_a_deployment_tells_application_insights_by_the_setting(given: Any, told: bool) -> None:
    settings = SETTINGS.model_copy(update=given)
    made = AzureWorkspace(settings, object())._deployment(PLAN, code=Path("."))  # type: ignore[arg-type]
    assert made.app_insights_enabled is told


def test_the_models_of_as_many_datasets_as_there_are_are_fetched_once_each() -> None:
    """Probes ask for one after another, over and over, and a whole model is fetched for its documents."""
    fetched: list[str] = []

    def download(*, name: str, version: str, download_path: str) -> None:
        fetched.append(name)
        (Path(download_path) / "golden.json").write_text("{}")

    workspace = AzureWorkspace(SETTINGS, object(), datasets=5)  # type: ignore[arg-type]
    with mock.patch.object(AzureWorkspace, "client") as client:
        client.models.download = download
        names = [f"model-of-{number}" for number in range(5)]
        for name in names * 2:
            assert workspace.model_documents(name, 1) == {"golden": {}}
    assert fetched == names
