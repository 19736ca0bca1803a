"""A step's way to the registry of the workspace it runs in: by what Azure ML tells every step, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import azure.identity
import pytest
from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from stub_server import Answer, Request, stub_server

from pipelines import workspace
from pipelines.workspace import Registry

TOLD = {
    "AZUREML_ARM_SUBSCRIPTION": "s",
    "AZUREML_ARM_RESOURCEGROUP": "g",
    "AZUREML_ARM_WORKSPACE_NAME": "w",
}
AT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(workspace.ADDRESS, raising=False)
    for name, value in TOLD.items():
        monkeypatch.setenv(name, value)


@dataclass
class Service:
    """Keeps what is put; answers `status` to everything when one is given."""

    status: int = 0
    asked: list[str] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    url: str = ""

    def answer(self, request: Request) -> Answer:
        self.asked.append(f"{request.method} {request.path}")
        if request.method == "PUT":
            self.kept[request.path] = request.json
            status = 201
        else:
            status = 200 if request.path in self.kept else 404
        body = json.dumps(self.kept.get(request.path, {})).encode()
        return Answer(self.status or status, body, {"Content-Type": "application/json"})


@pytest.fixture
def service() -> Iterator[Service]:
    served = Service()
    with stub_server(served.answer) as served.url:
        yield served


def registry(url: str) -> Registry:
    """Without a token: none may go over plain HTTP."""
    return Registry(client=PipelineClient(url, policies=[]), workspace=url + AT)


def test_a_registry_is_of_the_steps_own_workspace_in_public_azure() -> None:
    assert workspace.registry().workspace == f"https://management.azure.com{AT}"


def test_a_workspace_that_is_elsewhere_is_found_where_its_sdk_finds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(workspace.ADDRESS, "https://127.0.0.1:1")
    assert workspace.registry().workspace == f"https://127.0.0.1:1{AT}"


def test_a_step_signs_in_with_its_clusters_own_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFAULT_IDENTITY_CLIENT_ID", "the-cluster")
    asked: list[dict[str, str]] = []
    real = azure.identity.DefaultAzureCredential

    def made(**given: str) -> azure.identity.DefaultAzureCredential:
        asked.append(given)
        return real(**given)

    monkeypatch.setattr(azure.identity, "DefaultAzureCredential", made)
    workspace.registry()
    assert asked == [{"managed_identity_client_id": "the-cluster"}]


@pytest.mark.parametrize("name", TOLD)
def test_outside_of_a_run_there_is_no_workspace(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(KeyError, match=name):
        workspace.registry()


def test_what_is_added_is_found_under_its_name_and_version(service: Service) -> None:
    models = registry(service.url)
    assert models.find("bank", "4") is None
    models.add("bank", "4", {"modelUri": "azureml://x", "tags": {"a": "b"}})
    assert models.find("bank", "4") == {"modelUri": "azureml://x", "tags": {"a": "b"}}
    assert models.find("bank", "5") is None
    path = f"{AT}/models/bank/versions/4?api-version={workspace.API_VERSION}"
    assert service.asked[:3] == [f"GET {path}", f"PUT {path}", f"GET {path}"]


@pytest.mark.parametrize("status", [401, 403, 409, 500])
def test_only_not_found_means_that_there_is_no_such_model(service: Service, status: int) -> None:
    service.status = status
    with pytest.raises(HttpResponseError):
        registry(service.url).find("bank", "4")
    with pytest.raises(HttpResponseError):
        registry(service.url).add("bank", "4", {})


def test_a_workspace_that_does_not_answer_is_no_workspace_without_the_model() -> None:
    with pytest.raises(ServiceRequestError):
        registry("http://127.0.0.1:9").find("bank", "4")
