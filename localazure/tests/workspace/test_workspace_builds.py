"""What is under construction: environments hold no job's place, and a cancelled job's ends at once."""

from __future__ import annotations

import http.server
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from running_azure.waiting import until
from running_azure.workspace import GROUP, NAME, SUBSCRIPTION, WS, Server

JOBS = 5
"""More than the machine of these tests has places for."""


class _Index(http.server.BaseHTTPRequestHandler):
    """A package index that says nothing until it is let."""

    def do_GET(self) -> None:
        self.server.asked.release()  # type: ignore[attr-defined]
        self.server.gate.wait(60)  # type: ignore[attr-defined]
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def index() -> Iterator[Any]:
    made: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Index)
    made.daemon_threads = True
    made.gate, made.asked = threading.Event(), threading.Semaphore(0)
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.gate.set()
    made.shutdown()
    made.server_close()


@pytest.fixture
def one(new_server: Callable[..., Server], tmp_path: Path) -> Iterator[Server]:
    made = new_server(environments=tmp_path / "environments")
    made.start()
    yield made
    made.stop()


def submitted(server: Server, name: str, **more: Any) -> None:
    job = {"jobType": "Command", "command": "true", "experimentName": "e", **more}
    assert server.call("PUT", f"{WS}/jobs/{name}", {"properties": job}).status_code == 201


def status(server: Server, name: str) -> str:
    return str(server.call("GET", f"{WS}/jobs/{name}").json()["properties"]["status"])


def endless(server: Server, name: str, index: Any) -> str:
    """An environment whose packages never come."""
    address = f"http://127.0.0.1:{index.server_port}/simple"
    conda = f"dependencies: [pip, {{pip: ['--index-url {address}', 'nothing-{name}==1']}}]"
    at = f"{WS}/environments/{name}/versions/1"
    assert server.call("PUT", at, {"properties": {"condaFile": conda}}).status_code == 201
    return at


@pytest.mark.slow
def test_builds_hold_no_jobs_place_and_end_with_their_job(one: Server, index: Any) -> None:
    """Canceled, not Failed; and those that wait for a place to build in are let go too."""
    names = [f"building{number}" for number in range(JOBS)]
    for name in names:
        submitted(one, name, environmentId=endless(one, name, index))
    assert index.asked.acquire(timeout=60)
    submitted(one, "quick")
    until(lambda: status(one, "quick") == "Completed", "the job beside the builds")
    assert {status(one, name) for name in names} == {"Preparing"}
    for name in names:
        one.call("POST", f"{WS}/jobs/{name}/cancel")
    until(lambda: {status(one, name) for name in names} == {"Canceled"}, "their ends")


@pytest.mark.slow
def test_who_waits_for_anothers_build_can_be_cancelled(one: Server, index: Any) -> None:
    environment = endless(one, "same", index)
    submitted(one, "first", environmentId=environment)
    assert index.asked.acquire(timeout=60)
    submitted(one, "second", environmentId=environment)
    until(lambda: status(one, "second") == "Preparing")
    one.call("POST", f"{WS}/jobs/second/cancel")
    until(lambda: status(one, "second") == "Canceled")
    assert status(one, "first") == "Preparing"
    one.call("POST", f"{WS}/jobs/first/cancel")
    until(lambda: status(one, "first") == "Canceled")


def building(server: Server) -> set[str]:
    """The environments that a process is at."""
    lines = [file.read_text() for file in Path("/proc").glob("[0-9]*/cmdline") if os.access(file, os.R_OK)]
    found = re.compile(re.escape(str(server.environments)) + "/([0-9a-f]{16})/")
    return {match[1] for line in lines for match in [found.search(line)] if match}


class Deployments:
    """Deployments of one endpoint, whose environments never come, or are those of the machine's Python."""

    def __init__(self, server: Server, client: Any, folder: Path) -> None:
        from azure.ai.ml.entities import ManagedOnlineEndpoint

        self.server, self._client, self._code = server, client, folder / "code"
        self._code.mkdir()
        (self._code / "score.py").write_text("def init(): pass\ndef run(raw): return raw\n")
        client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="scorer")).result()

    def begin(self, name: str, environment: str) -> None:
        from azure.ai.ml.entities import CodeConfiguration, ManagedOnlineDeployment

        self._client.online_deployments.begin_create_or_update(
            ManagedOnlineDeployment(
                name=name,
                endpoint_name="scorer",
                environment=f"azureml:{environment}:1",
                code_configuration=CodeConfiguration(code=str(self._code), scoring_script="score.py"),
                instance_type="Standard_DS3_v2",
                instance_count=1,
            )
        )

    def state(self, name: str) -> str:
        found = self.server.call("GET", f"{WS}/onlineEndpoints/scorer/deployments/{name}")
        return str(found.json()["properties"]["provisioningState"]) if found.status_code == 200 else "gone"

    def delete(self, name: str) -> float:
        """How long it took, in seconds."""
        began = time.monotonic()
        at = f"{WS}/onlineEndpoints/scorer/deployments/{name}"
        assert self.server.call("DELETE", at).status_code in (200, 202, 204)
        until(lambda: self.state(name) == "gone")
        return time.monotonic() - began


@pytest.fixture
def deployments(one: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployments:
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    for name, value in one.variables.items():
        monkeypatch.setenv(name, value)
    return Deployments(one, MLClient(DefaultAzureCredential(), SUBSCRIPTION, GROUP, NAME), tmp_path)


@pytest.mark.slow
def test_builds_of_deployments_queue_by_themselves_and_end_with_them(
    deployments: Deployments, index: Any
) -> None:
    server, names = deployments.server, [f"building{number}" for number in range(JOBS)]
    for name in names:
        endless(server, name, index)
        deployments.begin(name, name)
    assert index.asked.acquire(timeout=60)
    time.sleep(3)
    asked = 1
    while index.asked.acquire(blocking=False):
        asked += 1
    assert asked < JOBS, "all of them build at once"
    submitted(server, "job", environmentId=endless(server, "job", index))
    assert index.asked.acquire(timeout=60), "a job's build waits for those of deployments"
    assert max(deployments.delete(name) for name in names) < 8
    until(lambda: len(building(server)) == 1, "the end of all builds but the job's")
    server.call("POST", f"{WS}/jobs/job/cancel")
    until(lambda: status(server, "job") == "Canceled")


@pytest.mark.slow
def test_a_deployment_that_is_made_anew_does_not_wait_for_its_first_build(
    deployments: Deployments, index: Any
) -> None:
    server = deployments.server
    endless(server, "never", index)
    at = f"{WS}/environments/serving/versions/1"  # an image alone: the emulator's own Python, which lacks the server
    assert server.call("PUT", at, {"properties": {"image": "ubuntu"}}).status_code == 201
    deployments.begin("blue", "never")
    assert index.asked.acquire(timeout=60)
    deployments.begin("blue", "serving")
    until(lambda: deployments.state("blue") == "Failed")
    said = server.call("POST", f"{WS}/onlineEndpoints/scorer/deployments/blue/getLogs", {"tail": 1}).json()
    assert "the environment lacks azureml-inference-server-http" in said["content"]
    until(lambda: not building(server), "the end of the first build")
