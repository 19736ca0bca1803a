"""A published pipeline: a batch endpoint called by plain REST, as the product calls it, and by the SDK."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from running_azure.pipelines import publish
from running_azure.waiting import until
from running_azure.workspace import WS, Server, Topic

COMMAND = (
    "cat ${{inputs.words}}/* > ${{outputs.said}}/all; "
    "echo ${{inputs.times}} $[[and ${{inputs.end}}]] >> ${{outputs.said}}/all"
)
ML = "https://ml.azure.com"


@pytest.fixture
def words(azurite: str, name: str) -> str:
    """The URL of a folder of two blobs."""
    container = BlobServiceClient.from_connection_string(azurite).create_container(name)
    for number, word in enumerate(("hello", "world")):
        container.upload_blob(f"parts/{number}.txt", word.encode())
    return f"{container.url}/parts/"


@pytest.fixture
def endpoint(client: Any, name: str, tmp_path: Path) -> Any:
    from azure.ai.ml.entities import Environment

    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "read.me").write_text("code")
    return publish(client, name, tmp_path / "src", COMMAND)


def _end(server: Server, job: str) -> Any:
    def ended() -> Any:
        properties = server.call("GET", f"{WS}/jobs/{job}?api-version=2024-10-01").json()["properties"]
        return properties if properties["status"] in ("Completed", "Failed", "Canceled") else None

    return until(ended, seconds=60)


def _said(azurite: str, server: Server, job: str) -> str:
    run = server.call("GET", f"/history/v1.0{WS}/runs/{job}").json()
    asset = run["outputs"]["said"]["assetId"]
    resolved = server.call(
        "POST", f"/data/v1.0{WS}/dataversion/batchGetResolvedUris", {"values": [asset]}
    ).json()
    path = resolved["values"][asset]["uri"].partition("/paths/")[2]
    store = server.call("GET", f"{WS}/datastores/workspaceblobstore").json()["properties"]["containerName"]
    blobs = BlobServiceClient.from_connection_string(azurite)
    return blobs.get_blob_client(store, f"{path}all").download_blob().readall().decode()


def test_pascal_case_with_a_name_of_our_own_runs_once(
    *, endpoint: Any, words: str, azurite: str, name: str, server: Server, topic: Topic
) -> None:
    body = {
        "properties": {
            "name": f"job-{name}",
            "InputData": {
                "words": {"JobInputType": "UriFolder", "Uri": words},
                "times": {"JobInputType": "Literal", "Value": 9},
                "end": {"JobInputType": "Literal", "Value": "bye"},
            },
            "OutputData": {},
            "properties": {"experimentName": f"exp-{name}"},
            "tags": {"shop.run": name},
        }
    }
    token = server.token(ML)
    first = server.call("POST", endpoint.scoring_uri, body, token=token)
    assert (first.status_code, first.json()["name"]) == (201, f"job-{name}")
    assert first.json()["properties"]["status"] in ("Preparing", "Running")
    second = server.call("POST", endpoint.scoring_uri, body, token=token)
    assert (second.status_code, second.json()["error"]["code"]) == (409, "UserError")
    ended = _end(server, f"job-{name}")
    assert (ended["status"], ended["experimentName"]) == ("Completed", f"exp-{name}")
    assert ended["tags"]["shop.run"] == name
    assert _said(azurite, server, f"job-{name}") == "helloworld9 and bye\n"
    tagged = server.call("GET", f"{WS}/jobs?tag=shop.run={name}").json()["value"]
    assert [job["name"] for job in tagged] == [f"job-{name}"]
    until(lambda: "RunCompleted" in topic.statuses(f"job-{name}"))
    assert topic.events[-1]["data"]["runTags"].get("shop.run") == name


def test_a_name_that_is_ignored_is_not_the_jobs_and_its_tags_are(
    *, endpoint: Any, words: str, name: str, server: Server
) -> None:
    """As asked for by a fault."""
    given = {"words": {"JobInputType": "UriFolder", "Uri": words}}
    body = {"properties": {"name": f"job-{name}", "InputData": given, "tags": {"shop.run": name}}}
    order = {"method": "POST", "path": f"/batch/{name}/jobs", "ignoreName": True}
    assert server.call("POST", "/__localazure/faults", order).status_code == 201
    called = [server.call("POST", endpoint.scoring_uri, body, token=server.token(ML)) for _ in range(2)]
    ignored, mine = (reply.json()["name"] for reply in called)
    assert ignored.startswith("batchjob-")
    assert mine == f"job-{name}"
    tagged = server.call("GET", f"{WS}/jobs?tag=shop.run={name}").json()["value"]
    assert {job["name"] for job in tagged} == {ignored, mine}


def test_the_sdk_invokes_with_defaults_and_without_the_optional(
    *, client: Any, endpoint: Any, words: str, azurite: str, name: str, server: Server, tmp_path: Path
) -> None:
    from azure.ai.ml import Input

    job = client.batch_endpoints.invoke(
        endpoint_name=name, inputs={"words": Input(type="uri_folder", path=words)}
    )
    assert _end(server, job.name)["status"] == "Completed"
    assert _said(azurite, server, job.name) == "helloworld2\n"
    client.jobs.download(job.name, download_path=str(tmp_path), output_name="said")
    assert (tmp_path / "named-outputs" / "said" / "all").read_text() == "helloworld2\n"
    assert [one.name for one in client.batch_endpoints.list_jobs(name)] == [job.name]


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({}, "'words' \\(uri_folder\\) is required"),
        ({"words": {"JobInputType": "UriFolder", "Uri": "http://x/y"}, "n": 1}, "unknown inputs: n"),
        (
            {
                "words": {"JobInputType": "UriFolder", "Uri": "http://x/y"},
                "times": {"JobInputType": "Literal", "Value": "many"},
            },
            "of type integer",
        ),
    ],
)
def test_inputs_are_checked_before_anything_runs(
    *, endpoint: Any, server: Server, inputs: Any, says: str
) -> None:
    import re

    reply = server.call(
        "POST", endpoint.scoring_uri, {"properties": {"InputData": inputs}}, token=server.token(ML)
    )
    assert reply.status_code == 400
    assert re.search(says, reply.json()["error"]["message"])


def test_the_token_must_be_for_machine_learning(endpoint: Any, server: Server) -> None:
    assert server.call("POST", endpoint.scoring_uri, {}).status_code == 401


def test_deleting_leaves_nothing(client: Any, endpoint: Any, name: str) -> None:
    client.batch_endpoints.begin_delete(name).result()
    assert name not in [one.name for one in client.batch_endpoints.list()]


def test_the_older_contract_submits_shows_steps_and_ends(
    *, client: Any, endpoint: Any, words: str, azurite: str, name: str, server: Server
) -> None:
    pipelines = server.call("GET", f"/pipelines/v1.0{WS}/Pipelines").json()
    (published,) = [one for one in pipelines if one["Name"] == name]
    body = {
        "ExperimentName": f"v1-{name}",
        "ParameterAssignments": {"words": words, "times": 4},
        "tags": {"who": "adf"},
    }
    run = server.call(
        "POST", f"/pipelines/v1.0{WS}/PipelineRuns/PipelineSubmit/{published['Id']}", body
    ).json()
    assert run["Status"]["StatusCode"] in ("NotStarted", "Running")
    at = f"/pipelines/v1.0{WS}/PipelineRuns/{run['Id']}"
    ended = until(
        lambda: (now := server.call("GET", at).json())["Status"]["StatusCode"] == "Finished" and now
    )
    assert (ended["RunHistoryExperimentName"], ended["tags"]["who"]) == (f"v1-{name}", "adf")
    steps = server.call("GET", f"{at}/Steps").json()
    assert [step["Status"]["StatusCode"] for step in steps] == ["Finished"]
    assert _said(azurite, server, run["Id"]) == "helloworld4\n"
    assert client.jobs.get(run["Id"]).status == "Completed"
    listed = server.call("GET", f"/pipelines/v1.0{WS}/PipelineRuns/Pipeline/{published['Id']}").json()
    assert [one["Id"] for one in listed] == [run["Id"]]


def test_the_older_contract_takes_paths_datasets_and_an_endpoint_and_cancels(
    *, endpoint: Any, client: Any, words: str, azurite: str, name: str, server: Server
) -> None:
    from azure.ai.ml.entities import Data

    client.data.create_or_update(Data(name=name, version="1", path=words, type="uri_folder"))
    at = f"/pipelines/v1.0{WS}/PipelineRuns"
    submitted = {
        "DataSetDefinitionValueAssignments": {
            "words": {"DataSetReference": {"Name": name, "Version": "1"}},
        },
        "ParameterAssignments": {"times": "6"},
        "ContinueRunOnStepFailure": False,
        "RunSource": "ADF",
    }
    run = server.call("POST", f"{at}/PipelineEndpointSubmit/Id/{name}", submitted).json()
    until(lambda: server.call("GET", f"{at}/{run['Id']}").json()["Status"]["StatusCode"] == "Finished")
    assert _said(azurite, server, run["Id"]) == "helloworld6\n"
    assert server.call("GET", f"{at}/{run['Id']}").json()["RunSource"] == "ADF"
    assert server.call("PUT", "/__localazure/transitions", {"rules": [{"mode": "manual"}]}).ok
    held = server.call("POST", f"{at}/PipelineEndpointSubmit/Id/{name}", submitted).json()
    assert held["Status"]["StatusCode"] == "NotStarted"
    server.call("DELETE", f"{at}/{held['Id']}/Execution")
    until(lambda: server.call("GET", f"{at}/{held['Id']}").json()["Status"]["StatusCode"] == "Canceled")
    again = server.call("POST", f"{at}/PipelineEndpointSubmit/Id/{name}", submitted).json()
    server.call("POST", f"{at}/{again['Id']}/Cancel")
    until(lambda: server.call("GET", f"{at}/{again['Id']}").json()["Status"]["StatusCode"] == "Canceled")
    assert server.call("POST", "/__localazure/reset").ok
    for odd in ({"ScheduleId": "x"}, {"Parameters": {"a": 1}}):
        assert server.call("POST", f"{at}/PipelineEndpointSubmit/Id/{name}", odd).status_code in (400, 501)
    assert server.call("GET", f"{at}/none").status_code == 404


def test_a_deployment_other_than_the_default_is_called_by_its_name(
    *,
    client: Any,
    endpoint: Any,
    words: str,
    azurite: str,
    name: str,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And the SDK remembers it for the calls that name none: a fault of its own, which plain REST does not have."""
    from azure.ai.ml import Input
    from azure.ai.ml.constants._endpoint import EndpointInvokeFields
    from azure.ai.ml.entities import PipelineComponentBatchDeployment

    remembered = dict(EndpointInvokeFields.DEFAULT_HEADER)  # for the whole process: other tests are spared it
    monkeypatch.setattr(EndpointInvokeFields, "DEFAULT_HEADER", remembered)
    from running_azure.pipelines import greeting

    other = client.components.create_or_update(
        greeting(f"{name}_b", tmp_path / "src", f"echo b; {COMMAND}").component, version="1"
    )
    client.batch_deployments.begin_create_or_update(
        PipelineComponentBatchDeployment(name="v2", endpoint_name=name, component=other, settings={})
    ).result()
    inputs = {"words": Input(type="uri_folder", path=words)}
    named = client.batch_endpoints.invoke(endpoint_name=name, deployment_name="v2", inputs=inputs)
    unnamed = client.batch_endpoints.invoke(endpoint_name=name, inputs=inputs)
    by_hand = server.call(
        "POST", endpoint.scoring_uri, {"properties": {"InputData": {"words": {"JobInputType": "UriFolder", "Uri": words}}}},
        token=server.token(ML),
    ).json()["name"]  # fmt: skip
    tags = [
        client.jobs.get(job).tags["azureml.deploymentname"] for job in (named.name, unnamed.name, by_hand)
    ]
    assert tags == ["v2", "v2", "v1"]
    listed = server.call("GET", f"{WS}/batchEndpoints/{name}/deployments/v2/jobs").json()["value"]
    assert {one["name"] for one in listed} == {named.name, unnamed.name}
    assert {one.name for one in client.batch_deployments.list(name)} == {"v1", "v2"}
    assert client.batch_deployments.get("v2", name).name == "v2"
    client.batch_deployments.begin_delete("v2", name).result()
    refused = server.call("DELETE", f"{WS}/batchEndpoints/{name}/deployments/v1")
    assert (refused.status_code, "is the default" in refused.text) == (400, True)
    for job in (named.name, unnamed.name, by_hand):
        _end(server, job)


def test_outputs_go_where_the_caller_says(
    *, endpoint: Any, words: str, azurite: str, name: str, server: Server
) -> None:
    body = {
        "properties": {
            "inputData": {"words": {"jobInputType": "UriFolder", "uri": words}},
            "outputData": {
                "said": {
                    "jobOutputType": "UriFolder",
                    "uri": f"azureml://datastores/workspaceblobstore/paths/{name}/said/",
                }
            },
        }
    }
    job = server.call("POST", endpoint.scoring_uri, body, token=server.token(ML)).json()["name"]
    assert _end(server, job)["status"] == "Completed"
    store = server.call("GET", f"{WS}/datastores/workspaceblobstore").json()["properties"]["containerName"]
    blob = BlobServiceClient.from_connection_string(azurite).get_blob_client(store, f"{name}/said/all")
    assert blob.download_blob().readall() == b"helloworld2\n"


@pytest.mark.parametrize(
    ("path", "properties", "status"),
    [
        ("batchEndpoints/odd", {"authMode": "Key"}, 400),
        ("batchEndpoints/odd", {"keys": {"primaryKey": "x"}}, 501),
        ("batchEndpoints/odd", {"defaults": {"deploymentName": "none"}}, 400),
        ("batchEndpoints/{name}/deployments/m", {"model": "x"}, 501),
        ("batchEndpoints/{name}/deployments/m", {"deploymentConfiguration": {}}, 501),
    ],
)
def test_what_a_batch_endpoint_cannot_be_is_refused(
    *, endpoint: Any, name: str, server: Server, path: str, properties: Any, status: int
) -> None:
    reply = server.call("PUT", f"{WS}/{path.format(name=name)}", {"properties": properties})
    assert reply.status_code == status, reply.text


def test_a_new_endpoint_has_defaults_in_which_a_deployment_can_be_named(client: Any, name: str) -> None:
    """As Microsoft's batch samples do it: `endpoint.defaults.deployment_name = deployment.name`."""
    from azure.ai.ml.entities import BatchEndpoint

    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    assert client.batch_endpoints.get(name).defaults.deployment_name is None
    client.batch_endpoints.begin_create_or_update(client.batch_endpoints.get(name)).result()
    client.batch_endpoints.begin_delete(name).result()
