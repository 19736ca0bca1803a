"""Azure Machine Learning's events: what the workspace posts comes out as Azure's system topic delivers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from localazure.storage.supervisor import Azurite
from localazure.workspace.history.events import RunEvents
from localazure.workspace.settings import Settings
from localazure.workspace.store.documents import Store
from running_azure.events import KEY, Inbox, Pump

WORKSPACE = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/localazure"
    "/providers/Microsoft.MachineLearningServices/workspaces/localazure"
)
ML = "Microsoft.MachineLearningServices"
RUN = {
    "runId": "brave_fig", "experiment": "training", "experimentId": "0fa9dfaa-cba3-4fa7-b590-23e48548f5c1",
    "runType": "azureml.PipelineRun", "tags": {"dataset": "bank:1"}, "properties": {"a": "b"},
}  # fmt: skip


@pytest.fixture
def pump(azurite_service: Azurite, tmp_path: Path, free_port: Callable[[], int], name: str) -> Iterator[Pump]:
    """Running; failed and completed runs, models and deployments come into the queue `name`."""
    destination = {"endpointType": "StorageQueue", "properties": {"queueName": name}}
    over = {"operatorType": "StringIn", "key": "data.runStatus", "values": ["Failed"]}
    chosen = [f"{ML}.{kind}" for kind in ("RunCompleted", "ModelRegistered", "ModelDeployed")]
    subscriptions = [
        {"name": "failed", "topic": "workspace", "properties": {
            "destination": destination,
            "filter": {"includedEventTypes": [f"{ML}.RunStatusChanged"], "advancedFilters": [over]},
        }},
        {"name": "others", "topic": "workspace", "properties": {
            "destination": destination, "filter": {"includedEventTypes": chosen},
        }},
    ]  # fmt: skip
    made = Pump(state=tmp_path, port=free_port(), azurite=azurite_service, subscriptions=subscriptions)
    made.start("--system-topic", f"workspace={WORKSPACE}")
    yield made
    made.stop()


@pytest.fixture
def runs(pump: Pump, tmp_path: Path) -> Iterator[RunEvents]:
    """The workspace's own way of telling."""
    settings = Settings(
        state=tmp_path, port=1, identity_port=1, storage="", environments=tmp_path, events_key=KEY,
        events=f"{pump.url}/topics/workspace/api/events",
    )  # fmt: skip
    made = RunEvents(settings, Store(tmp_path / "workspace.sqlite"))
    made.start()
    yield made
    made.stop()


def test_what_the_workspace_tells_of_runs(runs: RunEvents, inbox: Inbox) -> None:
    """Running is filtered out; the topic of the events is the workspace."""
    for status in ("Running", "Failed", "Completed"):
        runs.run_changed({**RUN, "status": status})
    events = {event["eventType"]: event for event in inbox.take(2)}
    failed, completed = events[f"{ML}.RunStatusChanged"], events[f"{ML}.RunCompleted"]
    about = {
        "experimentId": RUN["experimentId"], "experimentName": "training", "runId": "brave_fig",
        "runType": "azureml.PipelineRun", "runTags": RUN["tags"], "runProperties": RUN["properties"],
    }  # fmt: skip
    assert failed["data"] == {**about, "runStatus": "Failed"}
    assert completed["data"] == about
    for event in (failed, completed):
        assert event["topic"] == WORKSPACE
        assert event["subject"].endswith("/runs/brave_fig")
        assert event["metadataVersion"] == "1"


def test_what_the_workspace_tells_of_models_and_deployments(runs: RunEvents, inbox: Inbox) -> None:
    properties = {"tags": {"area": "campaign"}, "properties": {"type": "test"}}
    runs.model_registered({"name": "bank", "version": "3", "properties": properties})
    model = f"{WORKSPACE}/models/bank/versions/3"
    runs.model_deployed(
        {"endpoint": "bank", "name": "blue", "tags": {"a": "b"}, "properties": {"model": model}}
    )
    registered, deployed = inbox.take(2)
    assert (registered["eventType"], registered["subject"]) == (f"{ML}.ModelRegistered", "models/bank:3")
    assert registered["data"] == {
        "modelName": "bank", "modelVersion": "3", "modelTags": {"area": "campaign"},
        "modelProperties": {"type": "test"},
    }  # fmt: skip
    assert (deployed["eventType"], deployed["subject"]) == (f"{ML}.ModelDeployed", "endpoints/bank")
    assert set(deployed["data"]) == {
        "serviceName", "serviceComputeType", "modelIds", "serviceTags", "serviceProperties",
    }  # fmt: skip
    assert (deployed["data"]["modelIds"], deployed["data"]["serviceTags"]) == ("bank:3", {"a": "b"})
    assert {registered["topic"], deployed["topic"]} == {WORKSPACE}


def test_a_custom_topic_does_not_speak_for_another(pump: Pump) -> None:
    told = {"id": "1", "topic": WORKSPACE, "subject": "s", "eventType": "Made", "data": {},
            "eventTime": "2026-06-26T18:41:00Z", "dataVersion": "1"}  # fmt: skip
    url = f"{pump.url}/topics/custom/api/events"
    answer = requests.post(url, json=[told], headers={"aeg-sas-key": KEY}, timeout=10)
    assert answer.status_code == 400
    assert "names the topic" in answer.json()["error"]["message"]
