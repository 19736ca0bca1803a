"""Events of models and deployments; those of runs are seen where runs are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localazure.workspace.history.events import RunEvents
from localazure.workspace.settings import Settings
from localazure.workspace.store.documents import Store
from running_azure.waiting import until
from running_azure.workspace import WS, Server, Topic

ML = "Microsoft.MachineLearningServices"


def _of(topic: Topic, kind: str, subject: str) -> list[dict[str, Any]]:
    events = [event for event in topic.events if event["eventType"] == f"{ML}.{kind}"]
    return [event["data"] for event in events if event["subject"] == subject]


def _model(**more: Any) -> dict[str, Any]:
    return {"properties": {"modelUri": "azureml://datastores/workspaceblobstore/paths/m/", **more}}


def test_models_and_deployments_are_told(server: Server, topic: Topic, name: str, tmp_path: Path) -> None:
    """A model's new version is told once, a change of its tags is not."""
    at = f"{WS}/models/{name}/versions/3"
    server.put_blob("m/model")
    server.call("PUT", at, _model(tags={"a": "b"}))
    server.call("PUT", at, _model(tags={"a": "c"}))
    server.call("PUT", f"{WS}/models/{name}/versions/4", _model())
    until(lambda: _of(topic, "ModelRegistered", f"models/{name}:4"))
    assert _of(topic, "ModelRegistered", f"models/{name}:3") == [
        {"modelName": name, "modelVersion": "3", "modelTags": {"a": "b"}, "modelProperties": {}}
    ]
    settings = Settings(
        state=tmp_path,
        port=1,
        identity_port=1,
        storage="",
        environments=tmp_path,
        events=topic.url,
        events_key="k",
    )
    events = RunEvents(settings, Store(tmp_path / "workspace.db"))
    events.start()
    deployed = {"endpoint": name, "name": "blue", "tags": {"t": "1"}, "properties": {"model": at}}
    events.model_deployed(deployed)
    until(lambda: _of(topic, "ModelDeployed", f"endpoints/{name}"))
    (told,) = _of(topic, "ModelDeployed", f"endpoints/{name}")
    assert (told["serviceName"], told["modelIds"], told["serviceTags"]) == (name, f"{name}:3", {"t": "1"})
    events.stop()


@pytest.mark.slow
def test_a_deployment_is_told_when_it_serves_and_not_again_after_a_restart(
    new_server: Callable[..., Server],
) -> None:
    topic = Topic()
    server = new_server(events=topic.url)
    server.start()
    conda = "dependencies: [python=3.11, pip, {pip: [azureml-inference-server-http==1.5.1]}]\n"
    server.call("PUT", f"{WS}/environments/serving/versions/1", {"properties": {"condaFile": conda}})
    server.call("PUT", f"{WS}/onlineEndpoints/told", {"properties": {"authMode": "Key"}})
    properties = {
        "codeConfiguration": {"codeId": _code(server), "scoringScript": "score.py"},
        "environmentId": f"{WS}/environments/serving/versions/1",
    }
    at = f"{WS}/onlineEndpoints/told/deployments/blue"
    assert server.call("PUT", at, {"properties": properties}).status_code == 201
    until(lambda: _of(topic, "ModelDeployed", "endpoints/told"), seconds=120)
    server.stop()
    server.start()
    until(lambda: server.call("GET", at).json()["properties"]["provisioningState"] == "Succeeded")
    server.put_blob("m/model")
    assert server.call("PUT", f"{WS}/models/last/versions/1", _model()).status_code == 201
    until(lambda: _of(topic, "ModelRegistered", "models/last:1"))
    assert len(_of(topic, "ModelDeployed", "endpoints/told")) == 1
    server.stop()
    topic.shutdown()
    topic.server_close()


def _code(server: Server) -> str:
    """A scoring script, uploaded by hand; its id."""
    from azure.storage.blob import BlobClient

    at = f"{WS}/codes/scoring/versions/1"
    told = server.call(
        "POST", f"{at}/startPendingUpload", {"pendingUploadType": "TemporaryBlobReference"}
    ).json()
    place = told["blobReferenceForConsumption"]
    container, _, access = place["credential"]["sasUri"].partition("?")
    url = f"{container}/src/score.py?{access}"
    blob = BlobClient.from_blob_url(url, connection_verify=server.bundle)
    blob.upload_blob(b"def init():\n    pass\n\n\ndef run(raw):\n    return raw\n")
    body = {"properties": {"codeUri": f"{place['blobUri']}/src"}}
    return str(server.call("PUT", at, body).json()["id"])
