"""Environments of the registry azureml, by the names that Microsoft's samples give."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from localazure.workspace import curated
from localazure.workspace.processes.environments import pip_lines
from running_azure.waiting import until
from running_azure.workspace import WS, Server

SKLEARN = "azureml://registries/azureml/environments/sklearn-1.5"
PYTORCH = "azureml://registries/azureml/environments/acpt-pytorch-2.2-cuda12.1/labels/latest"


def job(environment: str, command: str = "true") -> dict[str, Any]:
    return {"jobType": "Command", "command": command, "experimentName": "e", "environmentId": environment}


def pipeline(environment: str) -> dict[str, Any]:
    step = {"name": "a", "type": "command", "command": "true", "environment": environment}
    return {"jobType": "Pipeline", "experimentName": "e", "jobs": {"a": step}}


@pytest.mark.parametrize("name", curated.STANDINS)
def test_what_stands_for_one_is_locked(name: str) -> None:
    conda = curated.conda_file(f"azureml://registries/azureml/environments/{name}/versions/7")
    lines = pip_lines(yaml.safe_load(conda or ""))
    assert len(lines) > 20
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


@pytest.mark.parametrize(
    "reference", [f"{SKLEARN}/labels/latest", f"{SKLEARN}/versions/12", f"{SKLEARN}:12", f"azureml:{SKLEARN}"]
)
def test_one_is_found_however_its_version_is_said(reference: str) -> None:
    assert "scikit-learn==1.5" in (curated.conda_file(reference) or "")


@pytest.mark.parametrize("reference", [f"{WS}/environments/sklearn-1.5/versions/1", "azureml:sklearn-1.5:1"])
def test_a_workspaces_own_is_none_of_a_registry(reference: str) -> None:
    assert curated.conda_file(reference) is None


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        (job(PYTORCH), "'acpt-pytorch-2.2-cuda12.1' of the registry 'azureml' is not here"),
        (pipeline(PYTORCH), "'acpt-pytorch-2.2-cuda12.1' of the registry 'azureml' is not here"),
        (
            job(SKLEARN.replace("registries/azureml", "registries/ours")),
            "'sklearn-1.5' of the registry 'ours'",
        ),
    ],
)
def test_one_that_nothing_stands_for_is_refused_at_submission(
    server: Server, name: str, properties: dict[str, Any], says: str
) -> None:
    """By name, with those there are."""
    reply = server.call("PUT", f"{WS}/jobs/{name}", {"properties": properties})
    message = reply.json()["error"]["message"]
    assert (reply.status_code, says in message, "there are sklearn-1.5" in message) == (400, True, True), (
        message
    )
    assert server.call("GET", f"{WS}/jobs/{name}").status_code == 404


def test_a_deployment_in_one_that_nothing_stands_for_is_refused(server: Server, name: str) -> None:
    server.call("PUT", f"{WS}/onlineEndpoints/{name}", {"properties": {"authMode": "Key"}})
    properties = {
        "environmentId": PYTORCH,
        "codeConfiguration": {"codeId": f"{WS}/codes/c/versions/1", "scoringScript": "score.py"},
    }
    at = f"{WS}/onlineEndpoints/{name}/deployments/blue"
    reply = server.call("PUT", at, {"properties": properties})
    assert (reply.status_code, server.call("GET", at).status_code) == (400, 404), reply.text


@pytest.mark.slow
def test_a_job_runs_in_what_stands_for_sklearn(server: Server, name: str) -> None:
    """As azureml-examples' jobs in sklearn-1.5 do; the packages are installed at the first use."""
    said = "import sklearn, pandas, mlflow, azureml.mlflow; assert sklearn.__version__.startswith('1.5.')"
    properties = job(f"{SKLEARN}/labels/latest", f'python -c "{said}"')
    assert server.call("PUT", f"{WS}/jobs/{name}", {"properties": properties}).status_code == 201

    def status() -> Any:
        return server.call("GET", f"{WS}/jobs/{name}").json()["properties"]["status"]

    until(lambda: status() in ("Completed", "Failed"), seconds=400)
    assert status() == "Completed"
