"""Single steps and jobs over plain REST: limits, modes, datastores, edits, deletion, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from running_azure.waiting import until
from running_azure.workspace import WS, Server

STORE = "azureml://datastores/workspaceblobstore/paths"


_NUMBER = {"type": "integer", "min": "1", "max": "5", "default": "2"}
_CHOICE = {"type": "string", "enum": ["a", "b"]}
_PLACED = {"job_input_type": "uri_folder", "uri": f"{STORE}/x/", "path_on_compute": "/data"}


def _command(server: Server, name: str, command: str, **more: Any) -> Any:
    properties = {"jobType": "Command", "command": command, "experimentName": "steps", **more}
    return server.call("PUT", f"{WS}/jobs/{name}", {"properties": properties})


def _pipeline(server: Server, name: str, spec: Any, node: Any, **more: Any) -> Any:
    path = f"{WS}/components/azureml_anonymous/versions/{name}"
    made = server.call(
        "PUT", path, {"properties": {"componentSpec": {"type": "command", **spec}, "isAnonymous": True}}
    )
    jobs = {"one": {"type": "command", "componentId": made.json()["id"], **node}}
    properties = {"jobType": "Pipeline", "experimentName": "steps", "jobs": jobs, **more}
    return server.call("PUT", f"{WS}/jobs/{name}", {"properties": properties})


def _run(server: Server, name: str) -> Any:
    def ended() -> Any:
        run = server.call("GET", f"/history/v1.0{WS}/runs/{name}").json()
        return run if run["status"] in ("Completed", "Failed", "Canceled") else None

    return until(ended, seconds=60)


def _log(server: Server, run: str) -> str:
    details = server.call("GET", f"/history/v1.0{WS}/runs/{run}/details").json()
    return server.call("GET", details["logFiles"]["user_logs/std_log.txt"], token="").text


def test_a_job_that_outlasts_its_limit_fails_and_its_processes_end(server: Server, name: str) -> None:
    _command(server, name, "sleep 1000 & sleep 1000", limits={"timeout": "PT1S", "jobLimitsType": "Command"})
    run = _run(server, name)
    assert run["status"] == "Failed"
    assert "within its limit of 1 s" in run["error"]["error"]["message"]
    assert not list((server.state / "workspace" / "processes").iterdir())


def test_what_is_direct_is_told_by_its_uri(server: Server, name: str) -> None:
    inputs = {"data": {"jobInputType": "uri_folder", "uri": f"{STORE}/somewhere/", "mode": "Direct"}}
    outputs = {"out": {"jobOutputType": "uri_folder", "mode": "Direct"}}
    _command(server, name, "echo ${{inputs.data}} ${{outputs.out}}", inputs=inputs, outputs=outputs)
    assert _run(server, name)["status"] == "Completed"
    said = _log(server, name).split()
    assert said[0] == f"{STORE}/somewhere/"
    assert said[1].endswith(f"/datastores/workspaceblobstore/paths/azureml/{name}/out/")


def test_a_component_says_how_its_inputs_and_outputs_come_and_a_step_may_say_otherwise(
    server: Server, name: str
) -> None:
    spec = {
        "command": "echo ${{inputs.data}} ${{outputs.out}}",
        "inputs": {"data": {"type": "uri_folder", "mode": "direct"}},
        "outputs": {"out": {"type": "uri_folder", "mode": "direct"}},
    }
    data = {"job_input_type": "uri_folder", "uri": f"{STORE}/somewhere/"}
    _pipeline(server, name, spec, {"inputs": {"data": data}})
    assert _run(server, name)["status"] == "Completed"
    (child,) = server.call("GET", f"/history/v1.0{WS}/runs/{name}/children").json()["value"]
    said = _log(server, child["runId"]).split()
    assert (said[0], said[1][:8]) == (f"{STORE}/somewhere/", "azureml:")
    node = {"inputs": {"data": data | {"mode": "Download"}}}
    _pipeline(server, f"{name}-2", spec, node)
    run = _run(server, f"{name}-2")
    assert "there is nothing under" in run["error"]["error"]["message"]  # so it was to be fetched


def test_outputs_go_to_the_pipelines_datastore_under_the_names_it_gives(
    server: Server, name: str, azurite: str
) -> None:
    spec = {"command": "echo o > ${{outputs.out}}/f", "outputs": {"out": {"type": "uri_folder"}}}
    body = {"properties": {"datastoreType": "AzureBlob", "containerName": name, "accountName": "a"}}
    assert server.call("PUT", f"{WS}/datastores/mine", body).status_code in (200, 201)
    _pipeline(server, name, spec, {}, settings={"default_datastore": f"{WS}/datastores/mine"})
    assert _run(server, name)["status"] == "Completed"
    (child,) = server.call("GET", f"/history/v1.0{WS}/runs/{name}/children").json()["value"]
    blobs = BlobServiceClient.from_connection_string(azurite).get_container_client(name)
    assert list(blobs.list_blob_names()) == [f"azureml/{child['runId']}/out/f"]
    path = "azureml://datastores/${{default_datastore}}/paths/x/${{name}}/${{output_name}}/"
    node = {"outputs": {"out": {"uri": path, "job_output_type": "uri_folder", "mode": "ReadWriteMount"}}}
    _pipeline(server, f"{name}-2", spec, node)
    assert _run(server, f"{name}-2")["status"] == "Completed"
    (child,) = server.call("GET", f"/history/v1.0{WS}/runs/{name}-2/children").json()["value"]
    (asset,) = [one["assetId"] for one in child["outputs"].values()]
    uri = server.call("POST", f"/data/v1.0{WS}/dataversion/batchGetResolvedUris", {"values": [asset]}).json()
    assert uri["values"][asset]["uri"].endswith(f"/workspaceblobstore/paths/x/{child['runId']}/out/")


def test_variables_of_the_step_win_over_those_of_its_component(server: Server, name: str) -> None:
    spec = {"command": "echo $A $B $AZUREML_ROOT_RUN_ID", "environment_variables": {"A": "1", "B": "2"}}
    _pipeline(server, name, spec, {"environment_variables": {"B": "3"}})
    assert _run(server, name)["status"] == "Completed"
    (child,) = server.call("GET", f"/history/v1.0{WS}/runs/{name}/children").json()["value"]
    assert _log(server, child["runId"]) == f"1 3 {name}\n"


def test_continue_on_step_failure_lets_the_others_end(server: Server, name: str, tmp_path: Path) -> None:
    path = f"{WS}/components/azureml_anonymous/versions"
    specs = {"bad": "exit 3", "good": f"touch {tmp_path}/good"}
    jobs = {}
    for key, command in specs.items():
        spec = {"type": "command", "command": command}
        made = server.call(
            "PUT", f"{path}/{name}{key}", {"properties": {"componentSpec": spec, "isAnonymous": True}}
        )
        jobs[key] = {"type": "command", "componentId": made.json()["id"]}
    properties = {
        "jobType": "Pipeline", "experimentName": "steps", "jobs": jobs, "settings": {"continue_on_step_failure": True}
    }  # fmt: skip
    server.call("PUT", f"{WS}/jobs/{name}", {"properties": properties})
    run = _run(server, name)
    assert (run["status"], (tmp_path / "good").exists()) == ("Failed", True)
    assert "step 'bad' failed: exit code 3" in run["error"]["error"]["message"]


def test_a_step_says_which_component_it_runs_and_of_which_pipeline_it_is(server: Server, name: str) -> None:
    """By the properties Azure gives a step's run: the SDK, and samples, look for a step by `azureml.moduleName`."""
    spec = {"type": "command", "name": "prepare", "command": "true"}
    assert _pipeline(server, name, spec, {}).status_code == 201
    assert _run(server, name)["status"] == "Completed"
    [child] = server.call("GET", f"/history/v1.0{WS}/runs/{name}/children").json()["value"]
    told = child["properties"]
    assert told["azureml.moduleName"] == "prepare"
    assert len(told["azureml.moduleid"]) == 36
    of_pipeline = ("azureml.pipelinerunid", "azureml.rootpipelinerunid", "azureml.pipeline")
    assert [told[key] for key in of_pipeline] == [name] * 3
    assert (told["azureml.runsource"], told["StepType"]) == ("azureml.StepRun", "PythonScriptStep")
    assert (told["azureml.nodeid"], told["azureml.nodeName"]) == (child["runId"], "one")


def test_a_job_is_edited_archived_listed_and_deleted(client: Any, server: Server, name: str) -> None:
    _command(server, name, "true")
    _run(server, name)
    updated = client.jobs.update(
        name, display_name="shown", tags={"a": "1"}, description="what", properties={"p": "2"}
    )
    assert (updated.display_name, updated.description, updated.tags["a"]) == ("shown", "what", "1")
    client.jobs.update(name, tags={"b": "2"})
    assert client.jobs.get(name).tags == {"a": "1", "b": "2"}
    client.jobs.archive(name)
    assert name in [one.name for one in client.jobs.list(list_view_type="ArchivedOnly")]
    client.jobs.restore(name)
    listed = [
        one for one in client.jobs.list() if one
    ]  # of what other tests wrote by hand the SDK reads none
    assert name in [one.name for one in listed]
    assert name in [one["name"] for one in server.call("GET", f"{WS}/jobs?jobType=Command").json()["value"]]
    assert server.call("DELETE", f"{WS}/jobs/{name}").status_code == 200
    assert server.call("DELETE", f"{WS}/jobs/{name}").status_code == 204
    assert server.call("GET", f"{WS}/jobs/{name}").status_code == 404


def test_a_deleted_job_leaves_nothing_on_disk_and_no_logs_to_the_next_of_its_name(
    server: Server, name: str, azurite: str
) -> None:
    """Its other files stay in storage, until a step of the next begins."""

    def run(word: str) -> str:
        command = f"mkdir outputs; echo {word} > outputs/{word}.csv; echo {word}"
        assert _pipeline(server, name, {"command": command}, {}).status_code == 201
        assert _run(server, name)["status"] == "Completed"
        (step,) = server.call("GET", f"/history/v1.0{WS}/runs/{name}/children").json()["value"]
        return str(step["runId"])

    def kept() -> set[str]:
        store = server.call("GET", f"{WS}/datastores/workspaceartifactstore").json()["properties"]
        container = BlobServiceClient.from_connection_string(azurite).get_container_client(
            store["containerName"]
        )
        runs = (f"ExperimentRun/dcid.{run}/" for run in (name, step))
        return {
            blob.rpartition("/")[2]
            for run in runs
            for blob in container.list_blob_names(name_starts_with=run)
        }

    step = run("first")
    folders = [server.state / "workspace" / "runs" / run for run in (name, step)]
    assert all(any(folder.rglob("*.txt")) for folder in folders)
    assert kept() == {"first.csv", "std_log.txt", "executionlogs.txt"}
    assert server.call("DELETE", f"{WS}/jobs/{name}").status_code == 200
    assert not any(file for folder in folders for file in folder.rglob("*"))
    assert kept() == {"first.csv"}
    assert server.call("DELETE", f"{WS}/components/azureml_anonymous/versions/{name}").ok
    assert run("second") == step
    assert _log(server, step) == "second\n"
    details = server.call("GET", f"/history/v1.0{WS}/runs/{name}/details").json()
    said = server.call("GET", details["logFiles"]["logs/azureml/executionlogs.txt"], token="").text
    assert len(said.splitlines()) == 2
    assert kept() == {"second.csv", "std_log.txt", "executionlogs.txt"}


def test_runs_of_an_experiment_are_told_newest_first(server: Server, name: str) -> None:
    for number in range(2):
        _command(server, f"{name}{number}", "true", experimentName=name)
    at = f"/history/v1.0{WS}/experiments/{name}/runs:query"
    assert [run["runId"] for run in server.call("POST", at, {"top": 5}).json()["value"]] == [
        f"{name}1",
        f"{name}0",
    ]
    assert server.call("POST", at, {"filter": "RunId eq 'x'"}).status_code == 501
    for number in range(2):
        _run(server, f"{name}{number}")


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        ({"distribution": {"distributionType": "Mpi"}}, 501, "one process"),
        ({"resources": {"instanceCount": 2}}, 501, "2 nodes"),
        ({"notificationSetting": {"emails": ["a@b.c"]}}, 501, "no mail"),
        ({"shellScript": "x"}, 400, "shellScript"),
        (
            {"inputs": {"d": {"jobInputType": "mltable", "uri": f"{STORE}/x/", "mode": "EvalMount"}}},
            501,
            "EvalMount",
        ),
        ({"outputs": {"o": {"jobOutputType": "uri_folder", "mode": "Sideways"}}}, 400, "Sideways"),
        ({"limits": {"timeout": "a while"}}, 400, "not a duration"),
        ({"jobType": "Sweep"}, 501, "Sweep"),
        ({"jobType": "Spark"}, 501, "Spark"),
    ],
)
def test_a_job_that_would_be_another_one_here_is_refused(
    server: Server, name: str, more: Any, status: int, says: str
) -> None:
    reply = _command(server, name, "true", **more)
    assert (reply.status_code, says in reply.json()["error"]["message"]) == (status, True), reply.text
    assert server.call("GET", f"{WS}/jobs/{name}").status_code == 404


@pytest.mark.parametrize(
    ("spec", "node", "more", "says"),
    [
        ({"command": "true"}, {"type": "sweep"}, {}, "'sweep'"),
        ({"command": "true"}, {"type": "parallel"}, {}, "'parallel'"),
        ({"command": "true"}, {"type": "do_while"}, {}, "'do_while'"),
        ({"command": "true"}, {"distribution": {"type": "mpi"}}, {}, "distribution"),
        ({"command": "true"}, {"resources": {"instance_count": 3}}, {}, "3 nodes"),
        ({"command": "true"}, {"retries": 3}, {}, "retries"),
        ({"command": "true", "successful_return_code": "Zero"}, {}, {}, "only 0 is success"),
        ({"command": "true", "inputs": {"n": _NUMBER}}, {"inputs": {"n": "7"}}, {}, "from 1 to 5"),
        ({"command": "true", "inputs": {"n": _NUMBER}}, {"inputs": {"n": "one"}}, {}, "of type integer"),
        ({"command": "true", "inputs": {"k": _CHOICE}}, {"inputs": {"k": "c"}}, {}, "may be a, b"),
        (
            {"command": "true", "inputs": {"d": {"type": "uri_folder"}}},
            {"inputs": {"d": _PLACED}},
            {},
            "path_on_compute",
        ),
        ({"command": "true", "distribution": {"type": "mpi"}}, {}, {}, "distribution"),
        ({"command": "true"}, {}, {"settings": {"on_init": "one"}}, "on_init"),
        ({"type": "spark"}, {}, {}, "'spark'"),
    ],
)
def test_a_step_that_would_be_another_one_here_is_refused(
    *, server: Server, name: str, spec: Any, node: Any, more: Any, says: str
) -> None:
    reply = _pipeline(server, name, spec, node, **more)
    assert reply.status_code in (400, 501)
    assert says in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("kind", "properties", "status"),
    [
        (
            "data",
            {"dataUri": "https://x/y", "dataType": "uri_file", "autoDeleteSetting": {"value": "30d"}},
            501,
        ),
        ("data", {"dataType": "uri_file"}, 400),
        ("models", {"modelUri": f"{STORE}/m", "defaultDeploymentSettings": {"x": 1}}, 501),
        ("environments", {"build": {"contextUri": "https://x"}}, 501),
        ("environments", {"image": "i", "inferenceConfig": {"livenessRoute": {"path": "/"}}}, 501),
        ("environments", {"image": "i", "dockerfile": "FROM x"}, 400),
        ("components", {}, 400),
    ],
)
def test_an_asset_that_would_be_another_one_here_is_refused(
    server: Server, name: str, kind: str, properties: Any, status: int
) -> None:
    reply = server.call("PUT", f"{WS}/{kind}/{name}/versions/1", {"properties": properties})
    assert reply.status_code == status, reply.text


@pytest.mark.parametrize("query", ["$filter=name", "properties=x", "count=1"])
def test_a_filter_that_would_not_be_looked_at_is_refused(server: Server, query: str) -> None:
    assert server.call("GET", f"{WS}/models?{query}").status_code == 501
    assert server.call("GET", f"{WS}/jobs?{query}").status_code == 501
    assert server.call("GET", f"{WS}/data?listViewType=Some").status_code == 400
