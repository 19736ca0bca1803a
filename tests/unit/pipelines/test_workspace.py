"""A step's way to the registry of the workspace it runs in: by what Azure ML tells every step, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import azure.identity
import pytest
from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError, ServiceRequestError

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


@pytest.fixture
def service() -> Iterator[Service]:
    served = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200 if self.path in served.kept else 404)

        def do_PUT(self) -> None:
            served.kept[self.path] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(201)

        def _answer(self, status: int) -> None:
            served.asked.append(f"{self.command} {self.path}")
            body = json.dumps(served.kept.get(self.path, {})).encode()
            self.send_response(served.status or status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield served
    server.shutdown()
    server.server_close()


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
