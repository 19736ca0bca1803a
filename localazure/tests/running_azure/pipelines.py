"""Small pipelines for tests. No postponed annotations: `dsl.pipeline` reads them as objects."""

from pathlib import Path
from typing import Any


def publish(client: Any, name: str, code: Path, command_line: str) -> Any:
    """A registered pipeline component behind a batch endpoint's default deployment `v1`; the endpoint."""
    from azure.ai.ml.entities import BatchEndpoint, PipelineComponentBatchDeployment

    component = client.components.create_or_update(greeting(name, code, command_line).component, version="1")
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    deployment = PipelineComponentBatchDeployment(
        name="v1", endpoint_name=name, component=component, settings={"default_compute": "serverless"}
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    endpoint = client.batch_endpoints.get(name)
    endpoint.defaults = {"deployment_name": "v1"}
    return client.batch_endpoints.begin_create_or_update(endpoint).result()


def greeting(name: str, code: Path, command_line: str) -> Any:
    """One step with a folder, a defaulted number and an optional word."""
    from azure.ai.ml import Input, Output, command, dsl

    greet = command(
        name=f"{name}_greet", code=str(code), environment="python@latest", command=command_line,
        inputs={"words": Input(type="uri_folder"), "times": Input(type="integer", default=1),
                "end": Input(type="string", optional=True)},
        outputs={"said": Output(type="uri_folder")},
    )  # fmt: skip

    @dsl.pipeline(name=name)
    def pipeline(
        words: Input(type="uri_folder"),
        times: Input(type="integer", default=2),
        end: Input(type="string", optional=True),
    ) -> Any:
        said = greet(words=words, times=times, end=end)
        return {"said": said.outputs.said}

    return pipeline(
        words=Input(type="uri_folder", path="azureml://datastores/workspaceblobstore/paths/none/")
    )
