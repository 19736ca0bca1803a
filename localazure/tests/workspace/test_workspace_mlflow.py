"""What MLflow's client with the plug-in `azureml-mlflow` sends, as plain REST: here it stands for mlflow-skinny 3.15 with
azureml-mlflow 1.62, whose requests were recorded; installing them for these tests would cost 30 packages."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from typing import Any

import pytest
import requests

from running_azure.waiting import until
from running_azure.workspace import WS, Server

API = f"/mlflow/v2.0{WS}/api/2.0/mlflow"
FOR_PLUGIN = re.compile(r"^https://(.*)\.blob\.core\.windows\.net/(.*)/(.*)\?(.*)")
"""azureml-mlflow fetches nothing from an address that is not like this, and says nothing either."""


def _get(server: Server, path: str, **query: str) -> Any:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return server.call("GET", f"{API}/{path}?{asked}").json()


def _post(server: Server, path: str, body: Any, status: int = 200) -> Any:
    reply = server.call("POST", f"{API}/{path}", body)
    assert reply.status_code == status, reply.text
    return reply.json()


def _begun(server: Server, name: str) -> str:
    experiment = _post(server, "experiments/create", {"name": name})["experiment_id"]
    asked = {"experiment_id": experiment, "run_name": name, "tags": [{"key": "a", "value": "b"}]}
    return str(_post(server, "runs/create", asked)["run"]["info"]["run_id"])


def _data(server: Server, run: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Metrics, parameters, tags."""
    data = _get(server, "runs/get", run_id=run)["run"]["data"]
    metrics, parameters, tags = (
        {one["key"]: one["value"] for one in data[kind]} for kind in ("metrics", "params", "tags")
    )
    return metrics, parameters, tags


def test_an_experiment_is_found_by_name_and_by_id_and_what_is_not_there_is_said_as_mlflow_says_it(
    server: Server, name: str
) -> None:
    nobody = _get(server, "experiments/get-by-name", experiment_name=name)
    assert nobody["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    of = _post(server, "experiments/create", {"name": name})["experiment_id"]
    again = _post(server, "experiments/create", {"name": name}, status=400)
    assert again["error_code"] == "RESOURCE_ALREADY_EXISTS"
    by_name = _get(server, "experiments/get-by-name", experiment_name=name)
    assert by_name == _get(server, "experiments/get", experiment_id=of)
    assert (by_name["experiment"]["name"], by_name["experiment"]["lifecycle_stage"]) == (name, "active")
    newest = _post(server, "experiments/search", {"max_results": 1000})["experiments"][0]
    assert newest == by_name["experiment"]
    assert "not emulated" in _post(server, "experiments/search", {"filter": "x"}, status=501)["message"]
    assert _get(server, "runs/get", run_id="nobody")["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_a_client_begins_a_run_logs_to_it_and_ends_it(server: Server, name: str) -> None:
    run = _begun(server, name)
    _post(server, "runs/log-metric", {"run_id": run, "key": "loss", "value": 0.5, "timestamp": 1, "step": 1})
    batch = [
        {"key": "loss", "value": value, "timestamp": 2, "step": step} for step, value in ((3, 0.2), (2, 0.3))
    ]
    parameters = [{"key": "depth", "value": "4"}]
    asked = {"run_id": run, "metrics": batch, "params": parameters, "tags": [{"key": "c", "value": "d"}]}
    _post(server, "runs/log-batch", asked)
    _post(server, "runs/log-parameter", {"run_id": run, "key": "trees", "value": "9"})
    _post(server, "runs/set-tag", {"run_id": run, "key": "e", "value": "f"})
    _post(server, "runs/delete-tag", {"run_id": run, "key": "a"})
    metrics, found, tags = _data(server, run)
    assert (metrics, found) == ({"loss": 0.2}, {"depth": "4", "trees": "9"})
    assert {"c": "d", "e": "f", "mlflow.runName": name}.items() <= tags.items()
    assert "a" not in tags
    history = _get(server, "metrics/get-history", run_id=run, metric_key="loss")["metrics"]
    assert [(one["step"], one["value"]) for one in history] == [(1, 0.5), (3, 0.2), (2, 0.3)]
    assert _get(server, "runs/get", run_id=run)["run"]["info"]["status"] == "RUNNING"
    ended = _post(server, "runs/update", {"run_id": run, "status": "FINISHED", "run_name": "x"})["run_info"]
    assert (ended["status"], ended["run_name"]) == ("FINISHED", "x")
    assert ended["end_time"] >= ended["start_time"]


def test_a_parameter_keeps_its_value_and_nothing_of_a_refused_batch_is_kept(
    server: Server, name: str
) -> None:
    run = _begun(server, name)
    _post(server, "runs/log-parameter", {"run_id": run, "key": "depth", "value": "4"})
    _post(server, "runs/log-parameter", {"run_id": run, "key": "depth", "value": "4"})
    other = {
        "run_id": run, "params": [{"key": "depth", "value": "5"}], "tags": [{"key": "c", "value": "d"}],
        "metrics": [{"key": "loss", "value": 1, "timestamp": 1, "step": 0}],
    }  # fmt: skip
    refused = _post(server, "runs/log-batch", other, status=400)
    assert refused["error_code"] == "INVALID_PARAMETER_VALUE"
    assert "'depth' is '4'" in refused["message"]
    metrics, parameters, tags = _data(server, run)
    assert (metrics, parameters, "c" in tags) == ({}, {"depth": "4"}, False)
    assert _get(server, "metrics/get-history", run_id=run, metric_key="loss") == {"metrics": []}


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("runs/log-metric", {"key": "a", "value": "much"}, "INVALID_PARAMETER_VALUE"),
        ("runs/log-metric", {"value": 1}, "INVALID_PARAMETER_VALUE"),
        ("runs/delete-tag", {"key": "nobody"}, "RESOURCE_DOES_NOT_EXIST"),
        ("runs/update", {"status": "DONE"}, "INVALID_PARAMETER_VALUE"),
    ],
)
def test_what_cannot_be_logged_is_refused(server: Server, name: str, path: str, body: Any, code: str) -> None:
    reply = server.call("POST", f"{API}/{path}", {"run_id": _begun(server, name)} | body)
    assert reply.json()["error_code"] == code


def test_numbers_without_a_json_form_come_back_as_words(server: Server, name: str) -> None:
    run = _begun(server, name)
    for key, value in (("n", "NaN"), ("i", "-Infinity")):
        _post(server, "runs/log-metric", {"run_id": run, "key": key, "value": value, "timestamp": 1})
    assert _data(server, run)[0] == {"n": "NaN", "i": "-Infinity"}


def test_a_run_may_be_below_another(server: Server, name: str) -> None:
    run = _begun(server, name)
    experiment = _get(server, "runs/get", run_id=run)["run"]["info"]["experiment_id"]
    asked = {"experiment_id": experiment, "tags": [{"key": "mlflow.parentRunId", "value": run}]}
    child = _post(server, "runs/create", asked)["run"]["info"]["run_id"]
    tags = _data(server, child)[2]
    assert (tags["mlflow.parentRunId"], tags["mlflow.rootRunId"]) == (run, run)
    children = server.call("GET", f"/history/v1.0{WS}/runs/{run}/children").json()["value"]
    assert [one["runId"] for one in children] == [child]


def test_artifacts_are_logged_once_listed_and_fetched(server: Server, name: str) -> None:
    """By addresses that the plug-in takes for a storage account's, both from run history and the artifact service."""
    run = _begun(server, name)
    uri = _get(server, "runs/get", run_id=run)["run"]["info"]["artifact_uri"]
    assert uri.startswith("azureml://")
    assert uri.endswith(f"/experiments/{name}/runs/{run}/artifacts")
    history = f"/history/v1.0{WS}/experiments/{name}/runs/{run}/artifacts"
    for at, path in (
        (history, "plots/a b.txt"),
        (f"/artifact/v2.0{WS}/artifacts/ExperimentRun/dcid.{run}", "c.txt"),
    ):
        asked = {"paths": [{"path": path}]}
        made = server.call("POST", f"{at}/batch/metadata", asked).json()
        address = made["artifactContentInformation"][path]["contentUri"]
        put = requests.put(
            address, data=path.encode(), headers={"x-ms-blob-type": "BlockBlob"}, timeout=30,
            verify=str(server.state / "tls" / "ca.pem"),
        )  # fmt: skip
        assert put.status_code == 201, put.text
        again = server.call("POST", f"{at}/batch/metadata", asked).json()
        assert "already" in again["errors"][path]["error"]["message"]
        told = server.call("GET", f"{at}/contentinfo?path={path}").json()
        assert FOR_PLUGIN.match(told["contentUri"])
        assert server.call("GET", told["contentUri"], token="").text == path
        assert server.call("GET", f"{at}/contentinfo?path=nothing").status_code == 404
        assert server.call("GET", f"{at}/contentinfo?path=../{name}").status_code == 400
        refused = requests.delete(told["contentUri"], timeout=30, verify=str(server.state / "tls" / "ca.pem"))
        assert refused.status_code == 403
        assert path in [one["path"] for one in server.call("GET", at).json()["value"]]
    assert _post(server, "logged-models/search", {"experiment_ids": ["1"]}) == {"models": []}
    other = f"/artifact/v2.0{WS}/artifacts/LocalUpload/dcid.{run}"
    assert server.call("GET", other).status_code == 404
    assert server.call("GET", f"{history.replace(run, 'nobody')}").status_code == 404


SCRIPT = """
import json, os, ssl, urllib.request
tracking = os.environ["MLFLOW_TRACKING_URI"].replace("azureml://", "https://").replace("/v1.0/", "/v2.0/")
context = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
headers = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}
def call(url, body, method="POST", **more):
    asked = urllib.request.Request(url, body, headers | more, method=method)
    return urllib.request.urlopen(asked, context=context).read()
def post(url, body):
    return json.loads(call(url, json.dumps(body).encode()))
run, api = os.environ["MLFLOW_RUN_ID"], tracking + "/api/2.0"
assert os.environ["MLFLOW_EXPERIMENT_ID"]
metrics = [{"key": "auc", "value": 0.9, "timestamp": 1, "step": 0}]
post(api + "/preview/mlflow/runs/log-batch-async", {"run_id": run, "metrics": metrics})
post(api + "/mlflow/runs/log-parameter", {"run_id": run, "key": "depth", "value": "4"})
post(api + "/mlflow/runs/update", {"run_id": run, "status": "FAILED"})
files = tracking.replace("/mlflow/v2.0", "/history/v1.0") + "/experiments/" + os.environ["MLFLOW_EXPERIMENT_NAME"]
files += "/runs/" + run + "/artifacts/batch/metadata"
place = post(files, {"paths": [{"path": "report.txt"}]})["artifactContentInformation"]["report.txt"]
call(place["contentUri"], b"good", "PUT", **{"x-ms-blob-type": "BlockBlob"})
"""


def test_what_a_job_logs_is_at_its_run(server: Server, name: str) -> None:
    """Its variables alone lead it there; and the job ends as its process does, whatever the client says."""
    command = f"python - <<'END'\n{SCRIPT}\nEND"
    body = {"properties": {"jobType": "Command", "command": command, "experimentName": name}}
    assert server.call("PUT", f"{WS}/jobs/{name}", body).status_code == 201

    def status() -> Any:
        return server.call("GET", f"{WS}/jobs/{name}").json()["properties"]["status"]

    until(lambda: status() in ("Completed", "Failed"))
    log = server.call("GET", f"/history/v1.0{WS}/runs/{name}/details").json()["logFiles"][
        "user_logs/std_log.txt"
    ]
    assert status() == "Completed", server.call("GET", log, token="").text
    metrics, parameters, _ = _data(server, name)
    assert (metrics, parameters) == ({"auc": 0.9}, {"depth": "4"})
    at = f"/history/v1.0{WS}/experiments/{name}/runs/{name}/artifacts"
    assert "report.txt" in [one["path"] for one in server.call("GET", at).json()["value"]]
    told = server.call("GET", f"{at}/contentinfo?path=report.txt").json()
    assert server.call("GET", told["contentUri"], token="").text == "good"


def test_a_step_that_begins_again_logs_again(new_server: Callable[..., Server], name: str) -> None:
    """After a kill: other values of its parameters and its artifacts are no conflict with those of the life before."""
    server = new_server()
    server.start()
    once = SCRIPT.replace('"value": "4"', '"value": str(os.getpid())')
    wait = f"import time\nif not os.path.exists({str(server.state / 'go')!r}): time.sleep(600)"
    command = f"python - <<'END'\n{once}\n{wait}\nEND"
    body = {"properties": {"jobType": "Command", "command": command, "experimentName": name}}
    assert server.call("PUT", f"{WS}/jobs/{name}", body).status_code == 201
    at = f"/history/v1.0{WS}/experiments/{name}/runs/{name}/artifacts"
    until(lambda: "report.txt" in server.call("GET", at).text)
    before = _data(server, name)[1]["depth"]
    server.stop(signal.SIGKILL)
    (server.state / "go").touch()
    server.start()

    def status() -> Any:
        return server.call("GET", f"{WS}/jobs/{name}").json()["properties"]["status"]

    until(lambda: status() in ("Completed", "Failed"))
    assert status() == "Completed"
    assert _data(server, name)[1]["depth"] != before
    assert len(_get(server, "metrics/get-history", run_id=name, metric_key="auc")["metrics"]) == 1
    server.stop()
