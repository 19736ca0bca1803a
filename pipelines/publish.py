"""Publishes the training pipeline to the workspace: `python -m pipelines.publish`; again changes nothing.

Versions are short hashes of what they name, so what is unchanged is found and left alone, and a changed step gets
a new component and a new deployment beside the old ones.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pipelines import training
from pipelines.conda import ROOT, SERVING
from pipelines.conda import TRAINING as TRAINING_CONDA

ENDPOINT = "campanha-training"
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
PLACE = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE")
ENVIRONMENTS = {"campanha-training": TRAINING_CONDA, "campanha-serving": SERVING}

Say = Callable[[str], None]


def publish(client: Any, *, say: Say = print) -> None:
    """client: an azure.ai.ml.MLClient of the workspace"""
    versions = {name: _environment(client, name, conda, say) for name, conda in ENVIRONMENTS.items()}
    with tempfile.TemporaryDirectory() as folder:
        code = assemble(Path(folder) / "steps")
        component = _component(
            client, code, f"azureml:campanha-training:{versions['campanha-training']}", say
        )
    _endpoint(client, say)
    deployment = f"v{component.version}"
    _deployment(client, deployment, component, say)
    _default(client, deployment, say)


def sources() -> list[Path]:
    """The steps' code: this project's step scripts, and the model module that the endpoint has too.

    Azure ML uploads one folder for a step, and the endpoint's folder must hold the model module itself. Putting the
    steps' folder together when publishing keeps one copy in the repository, which cannot drift from another.
    """
    return [*sorted((ROOT / "pipelines" / "steps").glob("*.py")), ROOT / "serving" / "model.py"]


def assemble(folder: Path) -> Path:
    """The self-contained code folder of the steps."""
    folder.mkdir(parents=True)
    for source in sources():
        shutil.copyfile(source, folder / source.name)
    return folder


def digest(files: Iterable[Path], *more: str) -> str:
    """A version: short, the same for the same content wherever it lies."""
    found = hashlib.sha256(repr(more).encode())
    for file in files:
        found.update(f"\0{file.name}\0".encode() + file.read_bytes())
    return found.hexdigest()[:12]


def _environment(client: Any, name: str, conda: Path, say: Say) -> str:
    from azure.ai.ml.entities import Environment

    version = digest([conda], IMAGE)
    if _found(lambda: client.environments.get(name=name, version=version)):
        say(f"environment {name}:{version} is there")
        return version
    environment = Environment(name=name, version=version, image=IMAGE, conda_file=str(conda))
    client.environments.create_or_update(environment)
    say(f"environment {name}:{version} registered")
    return version


def _component(client: Any, code: Path, environment: str, say: Say) -> Any:
    version = digest([*sources(), Path(training.__file__)], environment)
    component = _found(lambda: client.components.get(name=training.NAME, version=version))
    if component is not None:
        say(f"component {training.NAME}:{version} is there")
        return component
    component = client.components.create_or_update(training.component(code, environment), version=version)
    say(f"component {training.NAME}:{version} registered")
    return component


def _endpoint(client: Any, say: Say) -> None:
    from azure.ai.ml.entities import BatchEndpoint

    if _found(lambda: client.batch_endpoints.get(ENDPOINT)):
        say(f"endpoint {ENDPOINT} is there")
        return
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=ENDPOINT)).result()
    say(f"endpoint {ENDPOINT} created")


def _deployment(client: Any, name: str, component: Any, say: Say) -> None:
    from azure.ai.ml.entities import PipelineComponentBatchDeployment

    if _found(lambda: client.batch_deployments.get(name=name, endpoint_name=ENDPOINT)):
        say(f"deployment {name} is there")
        return
    deployment = PipelineComponentBatchDeployment(
        name=name,
        endpoint_name=ENDPOINT,
        component=component,
        settings={"default_compute": os.environ.get("AZUREML_COMPUTE", "cpu-cluster")},
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    say(f"deployment {name} created")


def _default(client: Any, deployment: str, say: Say) -> None:
    """Runs started from now on use this deployment; those under way stay with theirs."""
    endpoint = client.batch_endpoints.get(ENDPOINT)
    if (endpoint.defaults or {}).get("deployment_name") == deployment:
        say(f"{deployment} is the default")
        return
    endpoint.defaults = {"deployment_name": deployment}
    client.batch_endpoints.begin_create_or_update(endpoint).result()
    say(f"{deployment} made the default")


def _found(get: Callable[[], Any]) -> Any:
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return get()
    except ResourceNotFoundError:
        return None


def main() -> int:
    """Publishes to the workspace that the environment's variables name."""
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    missing = [name for name in PLACE if not os.environ.get(name)]
    if missing:
        print(f"{', '.join(missing)} not set: they say which workspace to publish to", file=sys.stderr)
        return 2
    publish(MLClient(DefaultAzureCredential(), *(os.environ[name] for name in PLACE)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
