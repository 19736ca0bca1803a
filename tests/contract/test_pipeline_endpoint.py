"""What the published training pipeline promises: in memory, as a batch endpoint (v2), as a published pipeline (v1)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Protocol

import pytest
from azure.storage.blob import BlobServiceClient
from contract import simulated, training
from contract.conftest import Embedded

from running_azure.waiting import until
from running_azure.workspace import WS
from shared.adapters.memory import MemoryPipeline, MemoryWorkspace
from shared.adapters.pipelines import RUN_TAG, BatchPipeline, PublishedPipeline
from shared.errors import NotLetIn, Refused, Transient
from shared.ports import PipelineEndpoint, RunRequest, Workspace


class Outside(Protocol):
    """A published pipeline, and the workspace its runs are in."""

    pipeline: PipelineEndpoint
    workspace: Workspace

    def files_of(self, dataset: str) -> str:
        """The URL of a folder with a manifest `1.json` and the parts it names."""

    def runs(self, name: str) -> int:
        """How many there are that we gave this name."""

    def lose(self, what: str) -> None:
        """The next submission's request does not arrive, or its reply does not."""

    def unpublish(self) -> None:
        """From now on there is no such pipeline."""


class InMemory:
    def __init__(self) -> None:
        self.workspace = MemoryWorkspace()
        self.pipeline = MemoryPipeline(self.workspace)

    def files_of(self, dataset: str) -> str:
        return f"memory://datasets/{dataset}/"

    def runs(self, name: str) -> int:
        return sum(run == name for run in self.workspace.runs)

    def lose(self, what: str) -> None:
        self.pipeline.loses = what

    def unpublish(self) -> None:
        self.pipeline.published = False

    def ignores_names(self) -> None:
        self.pipeline.ignores_names, self.pipeline.loses = True, "reply"


@dataclass
class OnWire:
    """One of the two kinds; the difference is where a submission goes."""

    embedded: Embedded
    pipeline: PipelineEndpoint
    submits_to: str
    unpublished: PipelineEndpoint

    @property
    def workspace(self) -> Workspace:
        return self.embedded.workspace

    def files_of(self, dataset: str) -> str:
        storage = self.embedded.settings.campanha_storage
        assert storage is not None
        service = BlobServiceClient.from_connection_string(storage.get_secret_value())
        container = service.create_container(dataset)
        container.upload_blob("1.json", b"{}")
        container.upload_blob("parts/a.parquet", b"PAR1")
        container.upload_blob("champion/ends.sh", b"exit 0")
        container.upload_blob("earlier/evidence.json", b"{}")
        return f"{container.url}/"

    def runs(self, name: str) -> int:
        listed = self.embedded.server.call("GET", f"{WS}/jobs?tag={RUN_TAG}={name}")
        return len(listed.json()["value"])

    def lose(self, what: str) -> None:
        self.embedded.goes_wrong("POST", self.submits_to, lose=what)

    def late(self) -> None:
        self.embedded.goes_wrong("POST", self.submits_to, lateSeconds=1)

    def unpublish(self) -> None:
        self.pipeline = self.unpublished

    def ignores_names(self) -> None:
        self.embedded.goes_wrong("POST", self.submits_to, lose="reply", ignoreName=True)


@pytest.fixture
def batch_endpoint(embedded: Embedded) -> OnWire:
    def pipeline(endpoint: str) -> BatchPipeline:
        return BatchPipeline(
            embedded.credential,
            workspace_id=embedded.settings.workspace_id,
            address=lambda: embedded.workspace.batch_address(endpoint),
            find_run=embedded.workspace.find_run,
        )

    return OnWire(
        embedded=embedded,
        pipeline=pipeline(training.ENDPOINT),
        submits_to="/batch/*/jobs",
        unpublished=pipeline("nobody-published-me"),
    )


@pytest.fixture
def published_pipeline(embedded: Embedded) -> OnWire:
    def pipeline(id_: str) -> PublishedPipeline:
        url = f"{embedded.server.base}/pipelines/v1.0{WS}/PipelineRuns/PipelineSubmit/{id_}"
        return PublishedPipeline(embedded.credential, url=url, workspace_id=embedded.settings.workspace_id)

    return OnWire(
        embedded=embedded,
        pipeline=pipeline(training.COMPONENT),
        submits_to="*/PipelineSubmit/*",
        unpublished=pipeline("nobody-published-me"),
    )


@pytest.fixture(params=["memory", "simulated", "batch_endpoint", "published_pipeline"])
def outside(request: pytest.FixtureRequest) -> Outside:
    if request.param == "memory":
        return InMemory()
    if request.param == "simulated":
        return simulated.through_ports(InMemory(), "pipeline")
    wire: OnWire = request.getfixturevalue(request.param)
    return wire


@pytest.fixture(params=["batch_endpoint", "published_pipeline"])
def on_wire(request: pytest.FixtureRequest) -> OnWire:
    wire: OnWire = request.getfixturevalue(request.param)
    return wire


def _registered(outside: Outside) -> RunRequest:
    """A request for a run on version 1 of a dataset nobody else uses."""
    dataset = f"d{uuid.uuid4().hex[:10]}"
    folder = outside.files_of(dataset)
    outside.workspace.register_dataset(dataset, 1, f"{folder}1.json", {})
    return RunRequest(
        name=f"{dataset}-v1-a1",
        dataset=dataset,
        version=1,
        parts_url=f"{folder}parts/",
        manifest_sha256="0" * 64,
        values={"call_cost": 10.5, "deposit_value": 80},
    )


def test_a_submitted_request_is_a_run_and_is_found_again(outside: Outside) -> None:
    request = _registered(outside)
    assert outside.pipeline.find(request) is None
    run = outside.pipeline.submit(request)
    assert outside.pipeline.find(request) == run
    view = outside.workspace.run(run)
    assert view is not None
    assert view.name == run
    assert outside.runs(request.name) == 1


def test_a_name_twice_is_one_run(outside: Outside) -> None:
    request = _registered(outside)
    first = outside.pipeline.submit(request)
    assert outside.pipeline.submit(request) == first
    assert outside.runs(request.name) == 1


def test_another_name_is_another_run(outside: Outside) -> None:
    request = _registered(outside)
    again = replace(request, name=f"{request.dataset}-v1-a2")
    first = outside.pipeline.submit(request)
    assert outside.pipeline.find(again) is None
    second = outside.pipeline.submit(again)
    assert first != second
    assert outside.pipeline.find(request) == first
    assert outside.pipeline.find(again) == second


def test_a_pipeline_nobody_published_refuses_and_starts_nothing(outside: Outside) -> None:
    request = _registered(outside)
    outside.unpublish()
    with pytest.raises(Refused, match="publish"):
        outside.pipeline.submit(request)
    assert outside.runs(request.name) == 0


def test_a_lost_reply_is_not_taken_for_a_no_and_its_run_is_found(outside: Outside) -> None:
    request = _registered(outside)
    outside.lose("reply")
    with pytest.raises(Transient):
        outside.pipeline.submit(request)
    run = outside.pipeline.find(request)
    assert run is not None
    assert outside.pipeline.submit(request) == run
    assert outside.runs(request.name) == 1


def test_a_lost_request_looks_the_same_from_here_and_may_be_made_again(outside: Outside) -> None:
    request = _registered(outside)
    outside.lose("request")
    with pytest.raises(Transient):
        outside.pipeline.submit(request)
    assert outside.pipeline.find(request) is None
    outside.pipeline.submit(request)
    assert outside.runs(request.name) == 1


def test_a_run_of_that_name_that_was_started_with_other_data_is_not_taken_for_it(outside: Outside) -> None:
    """Another ledger, on the same workspace, once had a version of that number."""
    old = _registered(outside)
    outside.pipeline.submit(old)
    ours = replace(old, manifest_sha256="1" * 64)
    with pytest.raises(Refused, match="started with other inputs"):
        outside.pipeline.find(ours)
    with pytest.raises(Refused, match="started with other inputs"):
        outside.pipeline.submit(ours)
    assert outside.runs(ours.name) == 1


def test_a_run_is_found_whichever_model_serves_by_then(outside: Outside) -> None:
    request = _registered(outside)
    run = outside.pipeline.submit(request)
    assert outside.pipeline.find(replace(request, champion="memory://7/", values={"call_cost": 3})) == run


# --- what only the wire can do wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("models", [False, True], ids=["a first run", "with models before it"])
def test_the_run_is_given_what_was_asked_for(on_wire: OnWire, models: bool) -> None:
    """And comes to its end: the names and types are the pipeline's, and it does without a model that there is not."""
    request = _registered(on_wire)
    if models:
        folder = request.parts_url.removesuffix("parts/")
        request = replace(request, champion=f"{folder}champion/", earlier=f"{folder}earlier/")
    run = on_wire.pipeline.submit(request)

    def ended() -> str | None:
        view = on_wire.workspace.run(run)
        return view.status if view and view.status in ("Completed", "Failed", "Canceled") else None

    assert until(ended, seconds=60) == "Completed"
    job = on_wire.embedded.server.call("GET", f"{WS}/jobs/{run}").json()["properties"]
    given = {name: one.get("uri") or one["value"] for name, one in job["inputs"].items()}
    assert given["manifest"].endswith(f"/data/{request.dataset}/versions/1")
    assert given["parts"] == request.parts_url
    assert (given["model_name"], given["model_version"]) == (request.dataset, "1")
    assert (float(given["call_cost"]), float(given["deposit_value"])) == (10.5, 80)
    assert (given.get("champion"), given.get("earlier")) == (request.champion, request.earlier)


def test_a_late_request_is_found_when_it_has_arrived(on_wire: OnWire) -> None:
    """Why a submission without an answer is not repeated before its fence."""
    request = _registered(on_wire)
    on_wire.late()
    with pytest.raises(Transient):
        on_wire.pipeline.submit(request)
    assert on_wire.pipeline.find(request) is None
    assert until(lambda: on_wire.pipeline.find(request))
    assert on_wire.runs(request.name) == 1


@pytest.mark.parametrize("name", ["memory", "batch_endpoint"])
def test_a_service_that_ignores_our_name_has_one_run_and_it_is_found(
    request: pytest.FixtureRequest, name: str
) -> None:
    """And its reply is lost, so that the run's name is not known here."""
    outside = InMemory() if name == "memory" else request.getfixturevalue(name)
    outside.ignores_names()
    asked = _registered(outside)
    with pytest.raises(Transient):
        outside.pipeline.submit(asked)
    run = outside.pipeline.find(asked)
    assert run is not None
    assert run != asked.name
    assert outside.workspace.run(run) is not None
    assert outside.workspace.run(asked.name) is None
    assert outside.pipeline.find(replace(asked, name=f"{asked.dataset}-v1-a2")) is None


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_busy_service_says_neither_yes_nor_no(on_wire: OnWire, status: int) -> None:
    request = _registered(on_wire)
    on_wire.embedded.goes_wrong("POST", on_wire.submits_to, status=status)
    with pytest.raises(Transient, match=str(status)):
        on_wire.pipeline.submit(request)


@pytest.mark.parametrize(("status", "problem"), [(400, Refused), (401, NotLetIn), (403, NotLetIn)])
def test_a_no_is_a_no_with_its_code(on_wire: OnWire, status: int, problem: type[Exception]) -> None:
    request = _registered(on_wire)
    on_wire.embedded.goes_wrong("POST", on_wire.submits_to, status=status, code="NotThisTime")
    with pytest.raises(problem, match=f"{status} NotThisTime"):
        on_wire.pipeline.submit(request)
    assert on_wire.runs(request.name) == 0


@pytest.mark.parametrize("effect", [{"status": 503}, {"lose": "reply"}])
def test_a_look_that_fails_does_not_say_there_is_no_run(on_wire: OnWire, effect: dict[str, object]) -> None:
    request = _registered(on_wire)
    on_wire.pipeline.submit(request)
    on_wire.embedded.goes_wrong("GET", "*/jobs/*", times=20, **effect)
    on_wire.embedded.goes_wrong("GET", "*/PipelineRuns/Pipeline/*", times=20, **effect)
    with pytest.raises(Transient):
        on_wire.pipeline.find(request)
