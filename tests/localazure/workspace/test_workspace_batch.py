"""A published pipeline: a batch endpoint called by plain REST, as the product calls it, and by the SDK."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from tests.localazure.workspace.pipelines import publish
from tests.localazure.workspace.running import WS, Server, Topic, until

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
            "tags": {"campanha.run": name},
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
    assert ended["tags"]["campanha.run"] == name
    assert _said(azurite, server, f"job-{name}") == "helloworld9 and bye\n"
    tagged = server.call("GET", f"{WS}/jobs?tag=campanha.run={name}").json()["value"]
    assert [job["name"] for job in tagged] == [f"job-{name}"]
    until(lambda: "RunCompleted" in topic.statuses(f"job-{name}"))
    assert topic.events[-1]["data"]["runTags"].get("campanha.run") == name


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
