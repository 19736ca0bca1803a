"""The app's adapters and the publishing, where the embedded workspace is as unkind as Azure."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contract.conftest import Embedded
from contract.test_workspace import OnAzureMl, _ended

from pipelines import batch_deployments, publish
from running_azure.waiting import until
from running_azure.workspace import WS, Server
from shared.adapters.pipelines import BatchPipeline
from shared.errors import NotLetIn, Transient
from shared.ports import DeploymentPlan, RunRequest


@pytest.fixture
def unkind(embedded: Embedded) -> Iterator[Callable[..., None]]:
    """Call it with the names of unkindnesses; afterwards the workspace is kind again."""

    def be(*names: str) -> None:
        assert embedded.server.call("PUT", "/__localazure/strict", {"unkindnesses": list(names)}).ok

    yield be
    be()


@pytest.fixture
def outside(embedded: Embedded, tmp_path: Path) -> OnAzureMl:
    return OnAzureMl(embedded, tmp_path)


@pytest.fixture
def plan() -> DeploymentPlan:
    """Of a model whose deployment fails at once: there is none of that name."""
    name = f"n{uuid.uuid4().hex[:10]}"
    return DeploymentPlan(endpoint=name, deployment="model-1", model=name, version=1)


def test_the_pipelines_are_published_and_again_changes_nothing(
    azurite: str, free_port: Callable[[], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(
        state=tmp_path, port=free_port(), identity_port=free_port(), storage=azurite, strict="all"
    )
    server.start()
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)
    from contract.conftest import _client

    client = _client()
    first = publish.publish(client, storage=azurite, say=lambda line: None)
    again = publish.publish(client, storage=azurite, say=lambda line: None)
    assert (len(first.new) > 10, again.new) == (True, ())
    for endpoint, pipeline in first.pipelines.items():
        told = server.call("GET", f"{WS}/batchEndpoints/{endpoint}?api-version=2024-04-01").json()
        assert told["properties"]["defaults"]["deploymentName"] == pipeline.deployment
    server.stop()


def test_a_batch_deployment_that_is_not_made_says_why(embedded: Embedded) -> None:
    from azure.ai.ml.entities import BatchEndpoint

    client, name = embedded.client, f"b{uuid.uuid4().hex[:10]}"
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    component = client.components.get("contract_training", version="1")
    assert not batch_deployments.is_there(client, name, "v1")
    embedded.goes_wrong("PUT", "*/deployments/v1", operationFails="no quota")
    with pytest.raises(batch_deployments.DeploymentFailed, match="no quota"):
        batch_deployments.deploy(client, name, "v1", component=component, compute="serverless")


def test_an_endpoint_under_an_operation_is_tried_again_later(
    embedded: Embedded, unkind: Callable[..., None], outside: OnAzureMl, plan: DeploymentPlan
) -> None:
    unkind("endpoint-busy")
    outside.model(plan.model, works=False)
    workspace = embedded.workspace
    workspace.begin_deployment(plan)  # the endpoint is made, and free, before the deployment is asked for
    with pytest.raises(Transient, match="409 Conflict"):
        workspace.delete_deployment(plan.endpoint, plan.deployment)
    until(lambda: workspace.deployment_state(plan.endpoint, plan.deployment) == "Failed", seconds=90)
    until(lambda: _done(lambda: workspace.delete_deployment(plan.endpoint, plan.deployment)))
    until(lambda: _done(lambda: workspace.set_traffic(plan.endpoint, {})))
    assert workspace.deployments(plan.endpoint) == []


def test_a_deployment_that_failed_is_refused_until_it_is_deleted(
    embedded: Embedded, unkind: Callable[..., None], outside: OnAzureMl, plan: DeploymentPlan
) -> None:
    unkind("failed-stays")
    outside.model(plan.model, works=False)
    workspace = embedded.workspace
    workspace.begin_deployment(plan)
    until(lambda: workspace.deployment_state(plan.endpoint, plan.deployment) == "Failed", seconds=90)
    with pytest.raises(Transient, match="400"):
        workspace.begin_deployment(plan)
    workspace.delete_deployment(plan.endpoint, plan.deployment)
    until(lambda: workspace.deployment_state(plan.endpoint, plan.deployment) is None)
    workspace.begin_deployment(plan)


def test_a_run_is_submitted_once_the_role_works(
    embedded: Embedded, unkind: Callable[..., None], outside: OnAzureMl
) -> None:
    unkind("roles-late")
    dataset = f"d{uuid.uuid4().hex[:10]}"
    url = outside.data_url(dataset)
    embedded.workspace.register_dataset(dataset, 1, url, {})
    pipeline = BatchPipeline(
        embedded.credential,
        workspace_id=embedded.settings.workspace_id,
        address=lambda: embedded.workspace.batch_address(embedded.settings.training_endpoint),
        find_run=embedded.workspace.find_run,
    )
    request = RunRequest(
        name=f"{dataset}-v1-a1",
        dataset=dataset,
        version=1,
        parts_url=url.removesuffix("1.json"),
        manifest_sha256="",
        champion=None,
    )
    with pytest.raises(NotLetIn, match="may the app's identity start runs there"):
        pipeline.submit(request)
    assert pipeline.find(request) is None
    until(lambda: _done(lambda: pipeline.submit(request)))
    assert pipeline.find(replace(request)) == request.name


def test_why_a_run_failed_is_not_read_from_logs(
    unkind: Callable[..., None], outside: OnAzureMl, embedded: Embedded
) -> None:
    unkind("logs-late", "keyless")
    assert _ended(outside, outside.run("says")).error == "too few rows; gather more"


def test_a_models_documents_come_down_without_a_key(
    unkind: Callable[..., None], outside: OnAzureMl, embedded: Embedded
) -> None:
    name = f"n{uuid.uuid4().hex[:10]}"
    unkind("keyless")
    outside.model(name)
    assert embedded.workspace.model_documents(name, 1)["evaluation"] == {"rows": 3}


def test_a_changed_environment_keeps_its_number_to_itself(
    embedded: Embedded, unkind: Callable[..., None]
) -> None:
    """The version is made of what is in it, so no registration meets another's content."""
    from azure.ai.ml.entities import Environment

    unkind("environments-stay")
    name = f"e{uuid.uuid4().hex[:10]}"

    def registered(image: str) -> Any:
        version = publish.digest({}, image)
        return embedded.client.environments.create_or_update(
            Environment(name=name, version=version, image=image)
        )

    assert [registered(image).image for image in ("first", "second", "first")] == ["first", "second", "first"]


def _done(act: Callable[[], Any]) -> bool:
    try:
        act()
    except Transient:
        return False
    return True
