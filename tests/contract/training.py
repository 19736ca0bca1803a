"""A pipeline that asks for what the real one asks for and does nothing: a script in the champion's folder says how it
ends.

No postponed annotations: `dsl.pipeline` reads them as objects.
"""

from pathlib import Path
from typing import Any

ENDPOINT = "contract-training"
COMPONENT = "contract_training"
COMMAND = (
    "cat ${{inputs.manifest}} && ls ${{inputs.parts}} $[[&& sh ${{inputs.champion}}/ends.sh]]"
    " $[[&& ls ${{inputs.earlier}}]]"
)


def publish(client: Any, folder: Path) -> None:
    """Registered as a pipeline component, behind a batch endpoint of its own."""
    from azure.ai.ml.entities import BatchEndpoint, Environment, PipelineComponentBatchDeployment

    client.environments.create_or_update(Environment(name="contract-python", version="1", image="ubuntu"))
    (folder / "read.me").write_text("Azure ML wants a folder of code.")
    component = client.components.create_or_update(_component(folder), version="1")
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=ENDPOINT)).result()
    deployment = PipelineComponentBatchDeployment(
        name="v1", endpoint_name=ENDPOINT, component=component, settings={"default_compute": "serverless"}
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    endpoint = client.batch_endpoints.get(ENDPOINT)
    endpoint.defaults = {"deployment_name": "v1"}
    client.batch_endpoints.begin_create_or_update(endpoint).result()


def _component(folder: Path) -> Any:
    from azure.ai.ml import Input, command, dsl

    model = Input(type="uri_folder", optional=True)
    only_step = command(
        name="contract_step", display_name="only_step", code=str(folder),
        environment="azureml:contract-python:1", command=COMMAND,
        inputs={"manifest": Input(type="uri_file"), "parts": Input(type="uri_folder"),
                "champion": model, "earlier": model},
    )  # fmt: skip

    @dsl.pipeline(name=COMPONENT)
    def pipeline(  # noqa: PLR0917 - the SDK hands them over by name
        manifest: Input(type="uri_file"),
        parts: Input(type="uri_folder"),
        model_name: Input(type="string"),
        model_version: Input(type="string"),
        champion: Input(type="uri_folder", optional=True),
        earlier: Input(type="uri_folder", optional=True),
        call_cost: Input(type="number", default=10),
        deposit_value: Input(type="number", default=80),
    ) -> None:
        only_step(manifest=manifest, parts=parts, champion=champion, earlier=earlier)

    nowhere = "azureml://datastores/workspaceblobstore/paths/none/"
    return pipeline(
        manifest=Input(type="uri_file", path=nowhere),
        parts=Input(type="uri_folder", path=nowhere),
        model_name="m",
        model_version="1",
    ).component
