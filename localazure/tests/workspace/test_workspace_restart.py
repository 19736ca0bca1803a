"""kill -9: what was answered stays, what ran is taken up again, nobody is left running."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from running_azure.waiting import until
from running_azure.workspace import WS, Server, Topic, alive

SPEC = {
    "type": "command",
    "name": "step",
    "inputs": {"before": {"type": "uri_folder", "optional": True}, "sleep": {"type": "string"}},
    "outputs": {"out": {"type": "uri_folder"}},
}


def _component(server: Server, command: str) -> str:
    path = f"{WS}/components/azureml_anonymous/versions/{abs(hash(command))}"
    body = {"properties": {"componentSpec": SPEC | {"command": command}, "isAnonymous": True}}
    return str(server.call("PUT", path, body).json()["id"])


def _node(component: str, sleep: str, before: str | None = None) -> dict[str, Any]:
    inputs = {"sleep": sleep} | ({"before": before} if before else {})
    return {"type": "command", "componentId": component, "inputs": inputs}


@pytest.mark.parametrize("ending", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_ended_emulator_takes_up_its_job_at_the_unfinished_step(
    new_server: Callable[..., Server], tmp_path: Path, topic: Topic, ending: signal.Signals
) -> None:
    job = f"resumed-{ending.name}"
    server = new_server(events=topic.url)
    server.start()
    marks = tmp_path / "marks"
    marks.mkdir()
    first = _component(server, f"echo once >> {marks}/first; echo x > ${{{{outputs.out}}}}/x")
    second = _component(
        server,
        f"cat ${{{{inputs.before}}}}/x; echo $$ >> {marks}/second; "
        f"if [ ! -e {marks}/go ]; then sleep 1000 & echo $! > {marks}/child; wait; fi",
    )
    jobs = {"a": _node(first, "0"), "b": _node(second, "0", "${{parent.jobs.a.outputs.out}}")}
    body = {"properties": {"jobType": "Pipeline", "experimentName": "restart", "jobs": jobs}}
    assert server.call("PUT", f"{WS}/jobs/{job}", body).status_code == 201
    child = int(until(lambda: (marks / "child").exists() and (marks / "child").read_text().strip()))
    server.stop(ending)
    (marks / "go").touch()
    server.start()
    assert not alive(child)
    status = f"{WS}/jobs/{job}"
    until(lambda: server.call("GET", status).json()["properties"]["status"] == "Completed")
    assert (marks / "first").read_text() == "once\n"
    assert len((marks / "second").read_text().split()) == 2
    assert server.call("PUT", f"{WS}/jobs/{job}", body).status_code == 200
    until(lambda: topic.statuses(job)[-1:] == ["RunCompleted"])
    server.stop()


def test_events_wait_for_a_topic_that_refuses(new_server: Callable[..., Server]) -> None:
    topic = Topic()
    for _ in range(2):
        topic.refusals.put(503)
    server = new_server(events=topic.url)
    server.start()
    job = {"properties": {"jobType": "Command", "command": "true", "experimentName": "e"}}
    server.call("PUT", f"{WS}/jobs/patient", job)
    until(lambda: "RunCompleted" in topic.statuses("patient"))
    assert topic.statuses("patient") == [
        "NotStarted",
        "Preparing",
        "Running",
        "Finalizing",
        "Completed",
        "RunCompleted",
    ]
    assert topic.keys == {"topic-key"}
    event = topic.events[0]
    assert event["subject"] == "experiments/e/runs/patient"
    assert event["eventType"] == "Microsoft.MachineLearningServices.RunStatusChanged"
    server.stop()
    topic.shutdown()
    topic.server_close()


def test_a_command_with_an_unknown_input_fails_and_names_it(server: Server, name: str) -> None:
    job = {"properties": {"jobType": "Command", "command": "echo ${{inputs.nothing}}", "experimentName": "e"}}
    server.call("PUT", f"{WS}/jobs/{name}", job)
    at = f"/history/v1.0{WS}/runs/{name}/details"
    ended = until(lambda: (run := server.call("GET", at).json())["status"] == "Failed" and run)
    assert "inputs.nothing" in ended["error"]["error"]["message"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_a_killed_emulator_left_running_is_ended_at_the_next_start(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    """A child that has left its parents is found by its group and by the mark in its environment."""
    server = new_server()
    server.start()
    command = f"sh -c 'echo $$ > {tmp_path}/orphan; exec sleep 1000' & sleep 1000"
    body = {"properties": {"jobType": "Command", "command": command, "experimentName": "e"}}
    server.call("PUT", f"{WS}/jobs/orphaned", body)
    orphan = int(until(lambda: (tmp_path / "orphan").exists() and (tmp_path / "orphan").read_text().strip()))
    records = list((server.state / "workspace" / "processes").iterdir())
    stranger = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    (server.state / "workspace" / "processes" / str(stranger.pid)).write_text("a process id used again")
    server.stop(signal.SIGKILL)
    assert alive(orphan)
    server.start()
    assert not alive(orphan)
    assert stranger.poll() is None
    assert not any(record.exists() for record in records)
    stranger.kill()
    stranger.wait()
    server.stop()
