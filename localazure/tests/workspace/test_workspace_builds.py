"""What is under construction: environments hold no job's place, and a cancelled job's ends at once."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from running_azure.waiting import until
from running_azure.workspace import WS, Server

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
