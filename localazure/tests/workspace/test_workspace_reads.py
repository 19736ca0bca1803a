"""The smaller ways of looking at things: each says the same as the larger one."""

from __future__ import annotations

from typing import Any

import pytest

from running_azure.waiting import until
from running_azure.workspace import WS, Server


def _done(server: Server, name: str, **properties: Any) -> None:
    body = {
        "properties": {"jobType": "Command", "command": "echo said", "experimentName": name, **properties}
    }
    assert server.call("PUT", f"{WS}/jobs/{name}", body).status_code == 201
    until(lambda: server.call("GET", f"{WS}/jobs/{name}").json()["properties"]["status"] == "Completed")


def test_a_compute_of_any_name_is_this_machine(client: Any, server: Server) -> None:
    assert client.compute.get("gpu-farm").name == "gpu-farm"
    assert {one.name for one in client.compute.list()} >= {"cpu-cluster", "serverless"}
    told = server.call("GET", f"{WS}/computes/gpu-farm").json()["properties"]
    assert (told["computeType"], told["properties"]["vmSize"]) == ("AmlCompute", "LOCAL")


def test_run_history_tells_a_run_below_its_experiment_too(server: Server, name: str) -> None:
    _done(server, name)
    short, long = f"/history/v1.0{WS}/runs/{name}", f"/history/v1.0{WS}/experiments/{name}/runs/{name}"
    for end in ("", "/children"):
        assert server.call("GET", long + end).json() == server.call("GET", short + end).json()
    details = server.call("GET", f"{long}/details").json()
    assert (details["runId"], details["status"]) == (name, "Completed")
    assert server.call("GET", details["logFiles"]["user_logs/std_log.txt"], token="").text == "said\n"


def test_mlflow_reads_a_run(server: Server, name: str) -> None:
    _done(server, name, tags={"a": "b"})
    told = server.call("GET", f"/mlflow/v1.0{WS}/api/2.0/mlflow/runs/get?run_id={name}").json()["run"]
    assert told["info"]["status"] == "FINISHED"
    assert {"key": "a", "value": "b"} in told["data"]["tags"]
    history = f"/mlflow/v1.0{WS}/api/2.0/mlflow/metrics/get-history?run_id={name}&metric_key=accuracy"
    assert server.call("GET", history).json() == {"metrics": []}
    searching = server.call("POST", f"/mlflow/v1.0{WS}/api/2.0/mlflow/runs/search", {})
    assert searching.status_code == 501


def test_versions_can_be_deleted_and_the_last_takes_its_name_along(server: Server, name: str) -> None:
    body = {"properties": {"dataUri": "https://x/y", "dataType": "uri_file"}}
    at = f"{WS}/data/{name}/versions"
    for version in ("1", "2"):
        server.call("PUT", f"{at}/{version}", body)
    assert server.call("DELETE", f"{at}/2").status_code == 200
    assert server.call("DELETE", f"{at}/2").status_code == 204
    assert server.call("GET", f"{WS}/data/{name}").json()["properties"]["latestVersion"] == "1"
    server.call("DELETE", f"{at}/1")
    assert server.call("GET", f"{WS}/data/{name}").status_code == 404


def test_a_published_pipeline_and_a_batch_job_by_their_own_names(
    client: Any, server: Server, name: str
) -> None:
    spec = {"type": "command", "command": "true"}
    step = {"properties": {"componentSpec": spec, "isAnonymous": True}}
    child = server.call("PUT", f"{WS}/components/azureml_anonymous/versions/{name}", step).json()["id"]
    spec = {"type": "pipeline", "name": name, "jobs": {"one": {"type": "command", "componentId": child}}}
    made = server.call(
        "PUT", f"{WS}/components/{name}/versions/1", {"properties": {"componentSpec": spec}}
    ).json()
    server.call("PUT", f"{WS}/batchEndpoints/{name}", {"properties": {"authMode": "AADToken"}})
    configuration = {
        "deploymentConfigurationType": "PipelineComponent",
        "componentId": {"referenceType": "Id", "assetId": made["id"]},
    }
    at = f"{WS}/batchEndpoints/{name}"
    server.call("PUT", f"{at}/deployments/v1", {"properties": {"deploymentConfiguration": configuration}})
    server.call("PUT", at, {"properties": {"authMode": "AADToken", "defaults": {"deploymentName": "v1"}}})
    job = server.call("POST", f"/batch/{name}/jobs", {}, token=server.token("https://ml.azure.com")).json()[
        "name"
    ]
    assert server.call("GET", f"{at}/jobs/{job}").json()["name"] == job
    pipeline = server.call("GET", f"/pipelines/v1.0{WS}/Pipelines/{name}").json()
    assert (pipeline["Name"], pipeline["TotalRunSteps"]) == (name, 1)
    assert server.call("GET", f"/pipelines/v1.0{WS}/Pipelines/{pipeline['Id']}").json() == pipeline
    until(lambda: client.jobs.get(job).status == "Completed")


def test_endpoints_are_listed(client: Any, name: str) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, tags={"a": "b"})).result()
    (found,) = [one for one in client.online_endpoints.list() if one.name == name]
    assert (found.tags, found.auth_mode, found.provisioning_state) == ({"a": "b"}, "key", "Succeeded")
    client.online_endpoints.begin_delete(name).result()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("transitions", {"rules": []}),
        ("operations", {"mode": "natural", "seconds": 1}),
        ("faults", {"value": []}),
    ],
)
def test_nothing_is_asked_of_a_workspace_unless_somebody_asks(server: Server, path: str, says: Any) -> None:
    assert server.call("POST", "/__localazure/reset").ok
    assert server.call("GET", f"/__localazure/{path}", token="").json() == says


def test_the_clock_only_goes_forward(server: Server) -> None:
    before = server.call("GET", "/__localazure/clock").json()["now"]
    after = server.call("POST", "/__localazure/clock", {"forwardSeconds": 3600}).json()["now"]
    assert after[:10] >= before[:10]
    assert after > before
    assert server.call("POST", "/__localazure/clock", {"forwardSeconds": -1}).status_code == 400
    assert server.call("POST", "/__localazure/reset").ok
