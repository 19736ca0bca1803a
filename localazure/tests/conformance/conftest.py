"""One client for all scripts: of the embedded workspace, or of the one in Azure that the variables name."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from running_azure.target import IN_AZURE, NAMED, Target
from running_azure.waiting import until
from running_azure.workspace import GROUP, NAME, SUBSCRIPTION, Server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The SDK warns about its own internals: not ours to mend."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:.*"))


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    if IN_AZURE:
        subscription, group, workspace = (os.environ[name] for name in NAMED)
        yield Target(subscription=subscription, group=group, workspace=workspace, variables={})
        return
    free_port: Callable[[], int] = request.getfixturevalue("free_port")
    server = Server(
        state=tmp_path_factory.mktemp("conformance"),
        port=free_port(),
        identity_port=free_port(),
        storage=request.getfixturevalue("azurite"),
    )
    server.start()
    yield Target(subscription=SUBSCRIPTION, group=GROUP, workspace=NAME, variables=server.variables)
    server.stop()


@pytest.fixture
def client(target: Target, monkeypatch: pytest.MonkeyPatch) -> Any:
    """As Microsoft's pages make one."""
    for name, value in target.variables.items():
        monkeypatch.setenv(name, value)
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    return MLClient(DefaultAzureCredential(), target.subscription, target.group, target.workspace)


@pytest.fixture
def name() -> str:
    """One that nobody has used, and that every kind of resource takes."""
    return f"conf{uuid.uuid4().hex[:12]}"


@pytest.fixture
def python(client: Any) -> str:
    """An environment in which a shell runs."""
    from azure.ai.ml.entities import Environment

    made = client.environments.create_or_update(
        Environment(name="conf-python", image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04")
    )
    return f"{made.name}:{made.version}"


@pytest.fixture
def ended(client: Any, target: Target) -> Callable[[str], Any]:
    """Call it with a job's name for the job, once it is over."""
    done = ("Completed", "Failed", "Canceled")

    def wait(job: str) -> Any:
        return until(
            lambda: (found := client.jobs.get(job)).status in done and found, seconds=target.patience
        )

    return wait
