"""What the scoring pipeline promises beside what every published pipeline does: what it is given, where it puts out."""

from __future__ import annotations

import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest
from azure.storage.blob import BlobServiceClient
from contract import scoring_pipeline
from contract.conftest import Embedded

from pipelines.datastores import publish_stores
from running_azure.waiting import until
from running_azure.workspace import WS
from shared.adapters.memory import MemoryPipeline, MemoryWorkspace
from shared.adapters.pipelines import BatchScoring
from shared.errors import Refused
from shared.ports import PipelineEndpoint, ScoringRequest


@pytest.fixture
def blobs(azurite: str) -> BlobServiceClient:
    return BlobServiceClient.from_connection_string(azurite)


@pytest.fixture
def published(embedded: Embedded, azurite: str, tmp_path: Path) -> Embedded:
    """The workspace with the pipeline and the datastore of scored files; again is no harm."""
    from azure.ai.ml.entities import BatchEndpoint, PipelineComponentBatchDeployment

    client, name = embedded.client, scoring_pipeline.ENDPOINT
    (tmp_path / "read.me").write_text("Azure ML wants a folder of code.")
    component = client.components.create_or_update(
        scoring_pipeline.component(tmp_path, "azureml:contract-python:1"), version=uuid.uuid4().hex[:8]
    )
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    deployment = PipelineComponentBatchDeployment(
        name="v1", endpoint_name=name, component=component, settings={"default_compute": "serverless"}
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    endpoint = client.batch_endpoints.get(name)
    endpoint.defaults = {"deployment_name": "v1"}
    client.batch_endpoints.begin_create_or_update(endpoint).result()
    silent = SimpleNamespace(there=str, made=str)
    publish_stores(client, azurite, silent)  # type: ignore[arg-type]
    return embedded


def pipeline(embedded: Embedded, endpoint: str = scoring_pipeline.ENDPOINT) -> BatchScoring:
    return BatchScoring(
        embedded.credential,
        workspace_id=embedded.settings.workspace_id,
        address=lambda: embedded.workspace.batch_address(endpoint),
        find_run=embedded.workspace.find_run,
    )


def request_of(url: str = "memory://", batch: str = "") -> ScoringRequest:
    batch = batch or f"b{uuid.uuid4().hex[:10]}"
    return ScoringRequest(
        name=f"score-{batch}-a1",
        dataset="bank",
        model="bank:7",
        model_url=f"{url}/model/",
        plan_url=f"{url}/plan.json",
        profile_url=f"{url}/profile.json",
        source_url=f"{url}/clients.csv",
        output=f"{batch}/",
    )


@pytest.fixture(params=["memory", "batch_endpoint"])
def either(request: pytest.FixtureRequest) -> PipelineEndpoint[ScoringRequest]:
    if request.param == "memory":
        return MemoryPipeline(MemoryWorkspace())
    return pipeline(request.getfixturevalue("published"))


def test_a_name_twice_is_one_run(either: PipelineEndpoint[ScoringRequest]) -> None:
    request = request_of("http://127.0.0.1:1/nowhere")
    assert either.find(request) is None
    assert either.submit(request) == either.submit(request) == either.find(request) == request.name


def test_the_output_lies_in_the_container_of_scored_files(
    published: Embedded, blobs: BlobServiceClient
) -> None:
    container = blobs.create_container(f"c{uuid.uuid4().hex[:10]}")
    container.upload_blob("plan.json", b"{}")
    container.upload_blob("profile.json", b"[]")
    container.upload_blob("clients.csv", b"a;b\n")
    container.upload_blob("model/model.json", b"bank:7")
    request = request_of(container.url)
    scored = blobs.get_container_client("scored")
    scored.upload_blob(f"{request.output}plan.json", b"{}")  # as it is: something of ours is there already
    run = pipeline(published).submit(request)

    def ended() -> str | None:
        view = published.workspace.run(run)
        return view.status if view and view.status in ("Completed", "Failed", "Canceled") else None

    assert until(ended, seconds=60) == "Completed"
    assert scored.download_blob(f"{request.output}scored.csv").readall() == b"{}[]a;b\nbank:7"
    assert scored.download_blob(f"{request.output}plan.json").readall() == b"{}"
    job = published.server.call("GET", f"{WS}/jobs/{run}").json()["properties"]
    assert job["experimentName"] == "campanha-bank"
    assert job["outputs"]["scored"]["uri"].endswith(f"/datastores/campanha_scored/paths/{request.output}")


def test_a_pipeline_nobody_published_refuses(embedded: Embedded) -> None:
    with pytest.raises(Refused, match="publish"):
        pipeline(embedded, "nobody-published-me").submit(request_of())
