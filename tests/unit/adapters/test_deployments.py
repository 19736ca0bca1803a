"""What a deployment is asked for with, by the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from shared.adapters.azureml import AzureWorkspace
from shared.ports import DeploymentPlan
from shared.settings import Settings

PLAN = DeploymentPlan(endpoint="campanha-bank", deployment="model-1", model="bank", version=1)


@pytest.mark.filterwarnings("ignore:.*")  # the SDK's of its own parts
@pytest.mark.parametrize(("given", "told"), [({}, False), ({"serving_app_insights": "on"}, True)])
def test_a_deployment_tells_application_insights_by_the_setting(given: Any, told: bool) -> None:
    settings = Settings(
        campanha_storage=SecretStr("-"),
        azure_subscription_id="-",
        azure_resource_group="-",
        azureml_workspace="-",
        **given,
    )
    made = AzureWorkspace(settings, object())._deployment(PLAN, code=Path("."))  # type: ignore[arg-type]
    assert made.app_insights_enabled is told
