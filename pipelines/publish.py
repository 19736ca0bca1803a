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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import training
from pipelines.conda import ROOT, SERVING
from pipelines.conda import TRAINING as TRAINING_CONDA

ENDPOINT = "campanha-training"
COMPUTE = "cpu-cluster"
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
PLACE = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE")
MODEL_MODULES = ("model", "trusted", "compiled", "kernel", "program", "trees")
ENVIRONMENTS = {"campanha-training": TRAINING_CONDA, "campanha-serving": SERVING}

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Published:
    """What the workspace holds now, and which of it was not there before."""

    environments: dict[str, str]
    """Names and versions."""
    component: str
    """<name>:<version>"""
    endpoint: str
    deployment: str
    """The endpoint's default: runs started from now on use it."""
    new: tuple[str, ...]


class _Tally:
    """Says each thing as it is settled, and keeps what was new."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.new: list[str] = []

    def there(self, what: str) -> None:
        self._say(f"{what} is there")

    def made(self, what: str) -> None:
        self._say(f"{what} made")
        self.new.append(what)


def publish(client: Any, *, compute: str = COMPUTE, say: Say = print) -> Published:
    """client: an azure.ai.ml.MLClient of the workspace. compute: a cluster of it, or serverless"""
    tally = _Tally(say)
    versions = {name: _environment(client, name, conda, tally) for name, conda in ENVIRONMENTS.items()}
    with tempfile.TemporaryDirectory() as folder:
        code = assemble(Path(folder) / "steps")
        environment = f"azureml:campanha-training:{versions['campanha-training']}"
        component = _component(client, code, environment, compute, tally)
    _endpoint(client, tally)
    deployment = f"v{component.version}"
    _deployment(client, deployment, component, compute, tally)
    _default(client, deployment, tally)
    return Published(
        environments=versions,
        component=f"{component.name}:{component.version}",
        endpoint=ENDPOINT,
        deployment=deployment,
        new=tuple(tally.new),
    )


def sources() -> list[Path]:
    """The steps' code: this project's step scripts, and the modules of the model that the endpoint has too.

    Azure ML uploads one folder for a step, and the endpoint's folder must hold the model's modules itself. Putting
    the steps' folder together when publishing keeps one copy in the repository, which cannot drift from another.
    """
    steps = sorted((ROOT / "pipelines" / "steps").glob("*.py"))
    return [*steps, *(ROOT / "serving" / f"{name}.py" for name in MODEL_MODULES)]


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


def _environment(client: Any, name: str, conda: Path, tally: _Tally) -> str:
    from azure.ai.ml.entities import Environment

    version = digest([conda], IMAGE)
    if _found(lambda: client.environments.get(name=name, version=version)):
        tally.there(f"environment {name}:{version}")
        return version
    environment = Environment(name=name, version=version, image=IMAGE, conda_file=str(conda))
    client.environments.create_or_update(environment)
    tally.made(f"environment {name}:{version}")
    return version


def _component(client: Any, code: Path, environment: str, compute: str, tally: _Tally) -> Any:
    """The compute counts towards the version: the SDK cannot read it back from the deployment of that version."""
    version = digest([*sources(), Path(training.__file__)], environment, compute)
    component = _found(lambda: client.components.get(name=training.NAME, version=version))
    if component is not None:
        tally.there(f"component {training.NAME}:{version}")
        return component
    component = client.components.create_or_update(training.component(code, environment), version=version)
    tally.made(f"component {training.NAME}:{version}")
    return component


def _endpoint(client: Any, tally: _Tally) -> None:
    from azure.ai.ml.entities import BatchEndpoint

    if _found(lambda: client.batch_endpoints.get(ENDPOINT)):
        tally.there(f"endpoint {ENDPOINT}")
        return
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=ENDPOINT)).result()
    tally.made(f"endpoint {ENDPOINT}")


def _deployment(client: Any, name: str, component: Any, compute: str, tally: _Tally) -> None:
    from azure.ai.ml.entities import PipelineComponentBatchDeployment

    what = f"deployment {name} on {compute}"
    if _found(lambda: client.batch_deployments.get(name=name, endpoint_name=ENDPOINT)):
        tally.there(what)
        return
    deployment = PipelineComponentBatchDeployment(
        name=name,
        endpoint_name=ENDPOINT,
        component=component,
        settings={"default_compute": compute},
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    tally.made(what)


def _default(client: Any, deployment: str, tally: _Tally) -> None:
    """Runs started from now on use this deployment; those under way stay with theirs."""
    what = f"default deployment {deployment}"
    endpoint = client.batch_endpoints.get(ENDPOINT)
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


def main() -> int:
    """Publishes to the workspace that the environment's variables name."""
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    missing = [name for name in PLACE if not os.environ.get(name)]
    if missing:
        print(f"{', '.join(missing)} not set: they say which workspace to publish to", file=sys.stderr)
        return 2
    client = MLClient(DefaultAzureCredential(), *(os.environ[name] for name in PLACE))
    publish(client, compute=os.environ.get("AZUREML_COMPUTE") or COMPUTE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
