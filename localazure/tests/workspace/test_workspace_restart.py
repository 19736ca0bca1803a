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


class _HalfFailed:
    """A pipeline that goes on when a step fails: `bad` has failed, `slow` waits for a file, and what may follow."""

    def __init__(self, server: Server, name: str, marks: Path) -> None:
        self.server, self.name, self.marks = server, name, marks
        wait = f"echo x >> {marks}/slow; while [ ! -e {marks}/go ]; do sleep 0.1; done"
        commands = {"bad": f"echo x >> {marks}/bad; exit 3", "slow": wait}
        jobs = {key: _node(_component(server, command), "0") for key, command in commands.items()}
        properties = {"jobType": "Pipeline", "experimentName": "restart", "jobs": jobs}
        properties["settings"] = {"continue_on_step_failure": True}
        assert server.call("PUT", f"{WS}/jobs/{name}", {"properties": properties}).status_code == 201
        until(lambda: self.steps()["bad"] == "Failed" and (marks / "slow").exists())

    def steps(self) -> dict[str, str]:
        runs = self.server.call("GET", f"/history/v1.0{WS}/runs/{self.name}/children").json()["value"]
        return {run["properties"]["azureml.nodeName"]: run["status"] for run in runs}

    def status(self) -> str:
        return str(self.server.call("GET", f"{WS}/jobs/{self.name}").json()["properties"]["status"])

    def ended(self) -> str:
        return str(until(lambda: (said := self.status()) in ("Completed", "Failed", "Canceled") and said))


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_step_that_failed_is_not_run_again_and_the_others_go_on(
    new_server: Callable[..., Server], tmp_path: Path, ending: signal.Signals
) -> None:
    server = new_server()
    server.start()
    job = _HalfFailed(server, "half", tmp_path)
    server.stop(ending)
    (tmp_path / "go").touch()
    server.start()
    assert job.ended() == "Failed"
    assert job.steps() == {"bad": "Failed", "slow": "Completed"}
    error = server.call("GET", f"/history/v1.0{WS}/runs/half/details").json()["error"]["error"]["message"]
    assert error.startswith("step 'bad' failed: exit code 3")
    assert (tmp_path / "bad").read_text() == "x\n"
    assert (tmp_path / "slow").read_text() == "x\nx\n"
    server.stop()


def test_a_job_that_is_cancelled_after_a_step_failed_is_canceled(
    server: Server, name: str, tmp_path: Path
) -> None:
    job = _HalfFailed(server, name, tmp_path)
    assert server.call("POST", f"{WS}/jobs/{name}/cancel").status_code == 202
    assert job.ended() == "Canceled"
    assert job.steps() == {"bad": "Failed", "slow": "Canceled"}


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
