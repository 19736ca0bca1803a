"""Publishes the pipelines as batch endpoints, idempotently: `python -m pipelines.publish`; again changes nothing.

Versions are short hashes of what they name, so what is unchanged is found and left alone, and a changed step gets
a new component and a new deployment beside the old ones.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import batch_deployments, command_step
from pipelines.automl import pipeline as automl
from pipelines.code import assemble, code_of, digest
from pipelines.conda import SERVING
from pipelines.conda import TRAINING as TRAINING_CONDA
from pipelines.datastores import publish_stores
from pipelines.experimentation import pipeline as experimentation
from pipelines.scoring import pipeline as scoring
from pipelines.tally import Say, Tally
from pipelines.training import pipeline as training
from shared.adapters.ml_client import ml_client, without_blank_lines
from shared.adapters.sign_in import credential

ENDPOINT = training.ENDPOINT
COMPUTE = "cpu-cluster"
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
STORAGE = ("CAMPANHA_STORAGE", "CAMPANHA_STORAGE__blobServiceUri")
"""As the app's settings have them: a connection string, or else the address of the data account's blobs."""
PLACE = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE")
WHEN_TOLD = "--when-told"
ENVIRONMENTS = {"campanha-training": TRAINING_CONDA, "campanha-serving": SERVING}
PIPELINES = (training, scoring, experimentation, automl)


@dataclass(frozen=True, kw_only=True)
class PublishedPipeline:
    """What an endpoint starts from now on."""

    component: str
    """<name>:<version>"""
    deployment: str
    """The endpoint's default."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """What the workspace holds now, and which of it was not there before."""

    environments: dict[str, str]
    """Names and versions."""
    pipelines: dict[str, PublishedPipeline]
    """By endpoint."""
    new: tuple[str, ...]


def publish(client: Any, *, storage: str, compute: str = COMPUTE, say: Say = print) -> Published:
    """client: an azure.ai.ml.MLClient of the workspace. storage: the data account's blob address, or its connection
    string. compute: a cluster of the workspace, or serverless"""
    tally = Tally(say)
    versions = {name: _environment(client, name, conda, tally) for name, conda in ENVIRONMENTS.items()}
    publish_stores(client, storage, tally)
    environment = f"azureml:campanha-training:{versions['campanha-training']}"
    pipelines = {each.ENDPOINT: _pipeline(client, each, environment, compute, tally) for each in PIPELINES}
    return Published(environments=versions, pipelines=pipelines, new=tuple(tally.new))


def _pipeline(client: Any, pipeline: Any, environment: str, compute: str, tally: Tally) -> PublishedPipeline:
    """pipeline: the module that defines it"""
    component = _component(client, pipeline, environment, compute, tally)
    _endpoint(client, pipeline.ENDPOINT, tally)
    deployment = f"v{component.version}"
    _deployment(client, pipeline.ENDPOINT, deployment, tally, component=component, compute=compute)
    _default(client, pipeline.ENDPOINT, deployment, tally)
    return PublishedPipeline(component=f"{component.name}:{component.version}", deployment=deployment)


def _environment(client: Any, name: str, conda: Path, tally: Tally) -> str:
    from azure.ai.ml.entities import Environment

    version = digest({conda.name: conda}, IMAGE)
    if _found(lambda: client.environments.get(name=name, version=version)):
        tally.there(f"environment {name}:{version}")
        return version
    environment = Environment(name=name, version=version, image=IMAGE, conda_file=str(conda))
    client.environments.create_or_update(environment)
    tally.made(f"environment {name}:{version}")
    return version


def _component(client: Any, pipeline: Any, environment: str, compute: str, tally: Tally) -> Any:
    """The compute counts towards the version: the SDK cannot read it back from the deployment of that version."""
    code = code_of(pipeline.COMMANDS)
    defined = {module.__name__: Path(str(module.__file__)) for module in (pipeline, command_step)}
    others = [other] if (other := getattr(pipeline, "MODEL_ENVIRONMENT", "")) else []
    version = digest({**code, **defined}, environment, compute, *others)
    what = f"component {pipeline.NAME}:{version}"
    component = _found(lambda: client.components.get(name=pipeline.NAME, version=version))
    if component is not None:
        tally.there(what)
        return component
    with tempfile.TemporaryDirectory() as folder:
        made = pipeline.component(assemble(code, Path(folder) / "code"), environment)
        component = client.components.create_or_update(made, version=version)
    tally.made(what)
    return component


def _endpoint(client: Any, name: str, tally: Tally) -> None:
    from azure.ai.ml.entities import BatchEndpoint

    if _found(lambda: client.batch_endpoints.get(name)):
        tally.there(f"endpoint {name}")
        return
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    tally.made(f"endpoint {name}")


def _deployment(client: Any, endpoint: str, name: str, tally: Tally, *, component: Any, compute: str) -> None:
    what = f"deployment {endpoint}/{name} on {compute}"
    if batch_deployments.is_there(client, endpoint, name):
        tally.there(what)
        return
    batch_deployments.deploy(client, endpoint, name, component=component, compute=compute)
    tally.made(what)


def _default(client: Any, name: str, deployment: str, tally: Tally) -> None:
    """Runs started from now on use this deployment; those under way stay with theirs."""
    what = f"default deployment {name}/{deployment}"
    endpoint = client.batch_endpoints.get(name)
    defaults = endpoint.defaults or {}  # given by attribute's name, read back by the wire's
    if deployment in (defaults.get("deploymentName"), defaults.get("deployment_name")):
        tally.there(what)
        return
    endpoint.defaults = {"deployment_name": deployment}
    client.batch_endpoints.begin_create_or_update(endpoint).result()
    tally.made(what)


def _found(get: Callable[[], Any]) -> Any:
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return get()
    except ResourceNotFoundError:
        return None


def main(arguments: Sequence[str] = ()) -> int:
    """Publishes to the workspace that the environment's variables name.

    arguments: `--when-told` loads the SDK, which takes two seconds, while the workspace may still be starting, and then
    reads those variables from stdin, as one line of JSON.
    """
    if WHEN_TOLD in arguments:
        importlib.import_module("azure.ai.ml")
        told = sys.stdin.readline()
        if not told:
            return 2  # who would have told is gone, and has said why
        os.environ.update(json.loads(told))
    storage = next(filter(None, map(os.environ.get, STORAGE)), "")
    missing = [name for name in PLACE if not os.environ.get(name)]
    missing += [] if storage else [" or ".join(STORAGE)]
    if missing:
        print(f"{', '.join(missing)} not set: they say where to publish to", file=sys.stderr)
        return 2
    client = ml_client(credential(), *(os.environ[name] for name in PLACE))
    with without_blank_lines():
        publish(client, storage=storage, compute=os.environ.get("AZUREML_COMPUTE") or COMPUTE)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
