"""Runs held in states, by hand or for a time; runs that fail on request, and runs that do not run."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from running_azure.waiting import until
from running_azure.workspace import WS, Server, Topic

STEP = {"type": "command", "name": "step", "outputs": {"out": {"type": "uri_folder"}}}


@pytest.fixture(autouse=True)
def _released(server: Server) -> Iterator[None]:
    yield
    assert server.call("POST", "/__localazure/reset", {}).ok


def _rules(server: Server, *rules: Any) -> None:
    assert server.call("PUT", "/__localazure/transitions", {"rules": rules}).ok


def _command(server: Server, name: str, command: str = "true") -> None:
    body = {"properties": {"jobType": "Command", "command": command, "experimentName": "held"}}
    assert server.call("PUT", f"{WS}/jobs/{name}", body).status_code == 201


def _pipeline(server: Server, name: str) -> None:
    """Two steps, `a` and `b`, at the same time."""
    path = f"{WS}/components/azureml_anonymous/versions/{name}"
    spec = STEP | {"command": "echo x > ${{outputs.out}}/x"}
    component = server.call("PUT", path, {"properties": {"componentSpec": spec, "isAnonymous": True}}).json()[
        "id"
    ]
    jobs = {one: {"type": "command", "componentId": component} for one in ("a", "b")}
    body = {"properties": {"jobType": "Pipeline", "experimentName": "held", "jobs": jobs}}
    assert server.call("PUT", f"{WS}/jobs/{name}", body).status_code == 201


def _status(server: Server, name: str) -> str:
    return str(server.call("GET", f"/history/v1.0{WS}/runs/{name}").json()["status"])


def _held(server: Server, run: str, waiting_for: str) -> None:
    def is_held() -> bool:
        return bool(server.call("GET", f"/__localazure/runs/{run}").json()["waitingFor"] == waiting_for)

    until(is_held)


def _move(server: Server, run: str, **how: Any) -> None:
    assert server.call("POST", f"/__localazure/runs/{run}/move", how).ok


def test_a_run_goes_on_when_it_is_told_to(server: Server, name: str) -> None:
    _rules(server, {"job": name, "mode": "manual"})
    _command(server, name)
    for status, following in (
        ("NotStarted", "Preparing"), ("Preparing", "Running"), ("Running", "Finalizing"), ("Finalizing", "Completed"),
    ):  # fmt: skip
        _held(server, name, following)
        assert _status(server, name) == status
        _move(server, name)
    until(lambda: _status(server, name) == "Completed")
    assert server.call("POST", f"/__localazure/runs/{name}/move").status_code == 409


def test_a_run_goes_on_to_a_state_and_into_failure(server: Server, name: str) -> None:
    _rules(server, {"job": f"{name}*", "mode": "manual"})
    _command(server, name)
    _held(server, name, "Preparing")
    _move(server, name, to="Running")
    _held(server, name, "Finalizing")
    _move(server, name, fail="the node was preempted")
    until(lambda: _status(server, name) == "Failed")
    run = server.call("GET", f"/history/v1.0{WS}/runs/{name}").json()
    assert run["error"]["error"]["message"] == "the node was preempted"


def test_one_step_is_held_while_the_other_runs(server: Server, name: str) -> None:
    _rules(server, {"job": name, "step": "b", "mode": "manual"})
    _pipeline(server, name)
    children = server.call("GET", f"/history/v1.0{WS}/runs/{name}/children").json()["value"]
    runs = {one["displayName"]: one["runId"] for one in children}
    until(lambda: _status(server, runs["a"]) == "Completed")
    _held(server, runs["b"], "Queued")
    assert (_status(server, name), _status(server, runs["b"])) == ("Running", "NotStarted")
    _move(server, runs["b"], to="Completed")
    until(lambda: _status(server, name) == "Completed")


def test_a_step_fails_on_request_and_takes_its_pipeline_with_it(server: Server, name: str) -> None:
    _rules(server, {"job": name, "step": "a", "fail": {"before": "Running", "error": "no quota"}})
    _pipeline(server, name)
    until(lambda: _status(server, name) == "Failed")
    run = server.call("GET", f"/history/v1.0{WS}/runs/{name}").json()
    assert run["error"]["error"]["message"] == "step 'a' failed: no quota"


def test_states_last_as_long_as_asked(server: Server, name: str, topic: Topic) -> None:
    _rules(server, {"job": name, "mode": "timed", "seconds": {"Preparing": 0.3, "Running": 0.2}})
    _command(server, name)
    until(lambda: _status(server, name) == "Completed")
    until(lambda: "RunCompleted" in topic.statuses(name))
    assert topic.statuses(name)[:-1] == ["NotStarted", "Preparing", "Running", "Finalizing", "Completed"]


def test_a_run_that_does_not_run_is_over_at_once_with_outputs_as_told(
    server: Server, name: str, tmp_path: Path
) -> None:
    uri = "azureml://datastores/workspaceblobstore/paths/given/"
    _rules(server, {"job": name, "mode": "immediate", "outputs": {"model": uri}})
    _command(server, name, f"touch {tmp_path}/ran")
    until(lambda: _status(server, name) == "Completed")
    assert not (tmp_path / "ran").exists()
    server.put_blob("given/model")
    model = {"properties": {"modelUri": f"azureml://jobs/{name}/outputs/model", "modelType": "custom_model"}}
    made = server.call("PUT", f"{WS}/models/{name}/versions/1", model).json()
    assert made["properties"]["modelUri"].endswith("/datastores/workspaceblobstore/paths/given/")


def test_a_pipeline_that_does_not_run_completes_its_steps(server: Server, name: str) -> None:
    _rules(server, {"experiment": "held", "mode": "immediate", "fail": {"error": "as asked"}})
    _pipeline(server, name)
    until(lambda: _status(server, name) == "Failed")
    children = server.call("GET", f"/history/v1.0{WS}/runs/{name}/children").json()["value"]
    assert {one["status"] for one in children} == {"Completed"}


def test_a_held_run_can_be_cancelled(client: Any, server: Server, name: str) -> None:
    _rules(server, {"job": name, "mode": "manual"})
    _command(server, name)
    _held(server, name, "Preparing")
    client.jobs.begin_cancel(name).wait()
    assert _status(server, name) == "Canceled"


def test_a_held_run_is_held_again_after_a_kill(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    _rules(server, {"job": "stays", "mode": "manual"})
    _command(server, "stays")
    _held(server, "stays", "Preparing")
    server.stop(signal.SIGKILL)
    server.start()
    _held(server, "stays", "Preparing")
    assert server.call("POST", "/__localazure/reset", {}).ok
    until(lambda: _status(server, "stays") == "Completed")
    assert server.call("POST", "/__localazure/reset", {"documents": True}).ok
    assert server.call("GET", f"{WS}/jobs").json()["value"] == []
    assert server.call("GET", f"{WS}/datastores/workspaceblobstore").status_code == 200
    server.stop()


@pytest.mark.parametrize(
    "rules",
    [None, ["x"], [{"mode": "fast"}], [{"state": "Running"}], [{"fail": "now"}], [{"fail": {"before": "x"}}]],
)
def test_a_rule_that_is_not_understood_is_refused(server: Server, rules: Any) -> None:
    assert server.call("PUT", "/__localazure/transitions", {"rules": rules}).status_code == 400
