"""The embedded Azure ML workspace, one process for the whole session, and the adapters that talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from contract import training

from commands import ROOT
from running_azure.workspace import GROUP, NAME, SUBSCRIPTION, Server
from shared.adapters.azureml import AzureWorkspace
from shared.settings import Settings


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The SDK warns about its own internals (experimental classes, deprecated imports): not ours to mend."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:.*"))


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """The running workspace: as the app sees it, and as its owner does."""

    server: Server
    settings: Settings
    credential: Any
    workspace: AzureWorkspace

    @property
    def client(self) -> Any:
        """The whole SDK, for what the port has no verb for."""
        return self.workspace.client

    def goes_wrong(self, method: str, path: str, **effect: Any) -> None:
        """The next call that fits does, in the way told."""
        order = {"method": method, "path": path, **effect}
        assert self.server.call("POST", "/__localazure/faults", order).status_code == 201


@pytest.fixture(scope="session")
def workspace_process(
    azurite: str, free_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """With a training pipeline published."""
    folder = tmp_path_factory.mktemp("contract-workspace")
    server = Server(
        state=folder,
        port=free_port(),
        identity_port=free_port(),
        storage=azurite,
        environments=ROOT / ".environments",
    )
    server.start()
    try:
        with pytest.MonkeyPatch.context() as environment:
            for name, value in server.variables.items():
                environment.setenv(name, value)
            training.publish(_client(), tmp_path_factory.mktemp("contract-training"))
        yield server
    finally:
        server.stop()


def _client() -> Any:
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    return MLClient(DefaultAzureCredential(), SUBSCRIPTION, GROUP, NAME)


@pytest.fixture
def embedded(workspace_process: Server, azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    """Variables alone lead the unmodified SDK to it."""
    from azure.identity import DefaultAzureCredential

    for name, value in workspace_process.variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings(
        campanha_storage=azurite,
        azure_subscription_id=SUBSCRIPTION,
        azure_resource_group=GROUP,
        azureml_workspace=NAME,
        training_endpoint=training.ENDPOINT,
    )
    credential = DefaultAzureCredential()
    yield Embedded(
        server=workspace_process,
        settings=settings,
        credential=credential,
        workspace=AzureWorkspace(settings, credential),
    )
    workspace_process.call("DELETE", "/__localazure/faults")
