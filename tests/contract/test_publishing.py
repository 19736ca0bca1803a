"""The pipelines' publishing, by the unmodified SDK: again changes nothing, and the way back is there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipelines import publish
from pipelines.experimentation import pipeline as experimentation
from pipelines.scoring import pipeline as scoring
from pipelines.training import pipeline as training
from running_azure.workspace import GROUP, NAME, SUBSCRIPTION, Server

ROOT = Path(__file__).parents[2]
Publish = Callable[..., publish.Published]


def _silent(line: str) -> None:
    del line


@pytest.fixture(scope="module")
def client(
    azurite: str, free_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """Of a workspace in which nothing is published yet."""
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    folder = tmp_path_factory.mktemp("publishing")
    server = Server(state=folder, port=free_port(), identity_port=free_port(), storage=azurite)
    server.start()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in server.variables.items():
            environment.setenv(name, value)
        yield MLClient(DefaultAzureCredential(), SUBSCRIPTION, GROUP, NAME)
    server.stop()


@pytest.fixture
def published(client: Any, azurite: str) -> Publish:
    return partial(publish.publish, client, storage=azurite, say=_silent)


def test_again_changes_nothing_and_another_compute_is_beside_it(client: Any, published: Publish) -> None:
    first = published()
    assert len(first.new) == 2 + 2 + 4 * 4
    for name, pipeline in first.pipelines.items():
        assert client.batch_endpoints.get(name).defaults["deploymentName"] == pipeline.deployment
    said: list[str] = []
    again = published(say=said.append)
    assert again.new == ()
    assert again.pipelines == first.pipelines
    assert all(line.endswith(" is there") for line in said)
    moved = published(compute="serverless")
    assert moved.new == tuple(
        what
        for name, pipeline in moved.pipelines.items()
        for what in (
            f"component {pipeline.component}",
            f"deployment {name}/{pipeline.deployment} on serverless",
            f"default deployment {name}/{pipeline.deployment}",
        )
    )
    back = published()
    assert back.pipelines == first.pipelines
    assert back.new == tuple(
        f"default deployment {name}/{pipeline.deployment}" for name, pipeline in first.pipelines.items()
    )


@pytest.mark.parametrize(
    ("endpoint", "inputs", "outputs"),
    [
        (
            training.ENDPOINT,
            {
                "manifest",
                "parts",
                "model_name",
                "model_version",
                "champion",
                "earlier",
                "false_change",
                "call_cost",
                "deposit_value",
            },
            {"candidate"},
        ),
        (scoring.ENDPOINT, {"plan", "source", "profile", "model"}, {"scored"}),
        (
            experimentation.ENDPOINT,
            {"manifest", "parts", "earlier", "model_name", "model_version", "seed", "seconds"},
            {"found"},
        ),
    ],
)
def test_the_component_asks_for_what_a_run_is_given(
    client: Any, published: Publish, endpoint: str, inputs: set[str], outputs: set[str]
) -> None:
    """The names are the app's too: a run is started with these inputs."""
    name, _, version = published().pipelines[endpoint].component.partition(":")
    component = client.components.get(name=name, version=version)
    assert set(component.inputs) == inputs
    assert set(component.outputs) == outputs


@pytest.mark.parametrize("container", ["scored", "recipes"])
def test_outputs_have_a_datastore(client: Any, published: Publish, container: str) -> None:
    published()
    assert client.datastores.get(f"campanha_{container}").container_name == container


def test_publishing_says_what_it_made_and_nothing_else(client: Any, azurite: str) -> None:
    """No bars and no warnings of the SDK's: a first run is read by somebody who does not know them."""
    place = dict(zip(publish.PLACE, (SUBSCRIPTION, GROUP, NAME), strict=True))
    environment = {**os.environ, **place, "CAMPANHA_STORAGE": azurite, "AZUREML_COMPUTE": "another-cluster"}
    command = [sys.executable, "-m", "pipelines.publish"]
    told = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert (told.returncode, told.stderr) == (0, "")
    lines = told.stdout.splitlines()
    assert lines
    assert all(line.endswith((" made", " is there")) for line in lines)
