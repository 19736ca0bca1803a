"""An AutoML job's best model behind an endpoint, by the files it left; and a search that was killed."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from running_azure.waiting import until
from running_azure.workspace import WS, Server

ROWS = "age;job;y\n" + "".join(
    f"{20 + n % 50};{'ab'[n % 2]};{'yes' if n % 50 > 25 else 'no'}\n" for n in range(200)
)
MLTABLE = "paths: [{file: ./rows.csv}]\ntransformations: [{read_delimited: {delimiter: ';'}}]\n"


def _task(uri: str, **limits: Any) -> dict[str, Any]:
    details = {
        "taskType": "Classification", "primaryMetric": "Accuracy", "targetColumnName": "y",
        "trainingData": {"jobInputType": "mltable", "uri": uri},
        "nCrossValidations": {"mode": "Custom", "value": 2}, "limitSettings": limits,
    }  # fmt: skip
    return {"properties": {"jobType": "AutoML", "experimentName": "automl", "taskDetails": details}}


def _table(server: Server, azurite: str, folder: str) -> str:
    from azure.storage.blob import BlobServiceClient

    store = server.call("GET", f"{WS}/datastores/workspaceblobstore").json()["properties"]["containerName"]
    container = BlobServiceClient.from_connection_string(azurite).get_container_client(store)
    for name, text in (("MLTable", MLTABLE), ("rows.csv", ROWS)):
        container.upload_blob(f"{folder}/{name}", text.encode(), overwrite=True)
    return f"azureml://datastores/workspaceblobstore/paths/{folder}/"


def _status(server: Server, run: str) -> str:
    return str(server.call("GET", f"/history/v1.0{WS}/runs/{run}").json()["status"])


@pytest.mark.slow
def test_the_best_model_is_deployed_and_scores(
    client: Any, server: Server, azurite: str, name: str, tmp_path: Path
) -> None:
    """As Microsoft's page on deploying AutoML models does it: model folder, scoring script, conda file."""
    from azure.ai.ml.entities import (
        CodeConfiguration,
        Environment,
        ManagedOnlineDeployment,
        ManagedOnlineEndpoint,
        Model,
    )

    server.call("PUT", f"{WS}/jobs/{name}", _task(_table(server, azurite, name), maxTrials=2, timeout="PT5M"))
    until(lambda: _status(server, name) == "Completed", seconds=120)
    best = client.jobs.get(name).tags["automl_best_child_run_id"]
    client.jobs.download(best, download_path=str(tmp_path))
    outputs = tmp_path / "artifacts" / "outputs"
    endpoint = f"e-{name}"
    client.online_endpoints.begin_create_or_update(
        ManagedOnlineEndpoint(name=endpoint, auth_mode="key")
    ).result()
    code = tmp_path / "code"
    code.mkdir()
    (code / "score.py").write_text((outputs / "scoring_file_v_2_0_0.py").read_text())
    deployment = ManagedOnlineDeployment(
        name="best", endpoint_name=endpoint, instance_type="Standard_DS3_v2", instance_count=1,
        model=Model(path=str(outputs / "mlflow-model"), name=name),
        code_configuration=CodeConfiguration(code=str(code), scoring_script="score.py"),
        environment=Environment(conda_file=str(outputs / "conda_env_v_1_0_0.yml"), image="ubuntu"),
    )  # fmt: skip
    client.online_deployments.begin_create_or_update(deployment).result()
    key = client.online_endpoints.get_keys(endpoint).primary_key
    rows = [{"age": 65, "job": "a"}, {"age": 21, "job": "b"}]
    asked: list[tuple[Any, Any]] = [
        ({"Inputs": {"data": rows}, "GlobalParameters": {"method": "predict"}}, {"Results": ["yes", "no"]}),
        ({"input_data": {"columns": ["age", "job"], "data": [[65, "a"], [21, "b"]]}}, ["yes", "no"]),
    ]
    for body, answer in asked:
        reply = server.call(
            "POST", f"/online/{endpoint}/score", body, token=key, headers={"azureml-model-deployment": "best"}
        )
        assert reply.json() == answer
    client.online_endpoints.begin_delete(endpoint).result()


@pytest.mark.slow
def test_a_killed_search_begins_again(new_server: Callable[..., Server], azurite: str) -> None:
    server = new_server()
    server.start()
    body = _task(_table(server, azurite, "killed"), maxTrials=3, timeout="PT5M", maxConcurrentTrials=2)
    server.call("PUT", f"{WS}/jobs/killed", body)

    def trials() -> list[Any]:
        found: list[Any] = server.call("GET", f"/history/v1.0{WS}/runs/killed/children").json()["value"]
        return found

    until(trials, seconds=60)
    server.stop(signal.SIGKILL)
    server.start()
    until(lambda: _status(server, "killed") == "Completed", seconds=120)
    assert [one["runId"] for one in trials()] == ["killed_0", "killed_1", "killed_2"]
    assert {one["status"] for one in trials()} == {"Completed"}
    server.stop()
