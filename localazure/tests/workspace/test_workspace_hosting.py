"""A deployment's server that does not start again: one that has served is tried until it serves; a first start decides."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localazure.ports import RANGE, lasting_port
from localazure.workspace.hosting import deployments
from localazure.workspace.hosting.deployments import Hosting
from localazure.workspace.hosting.server import Hosted
from localazure.workspace.processes.children import Processes
from running_azure.waiting import until

SERVER = """
import os, pathlib, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        if how == "serve-once":
            threading.Timer(0.3, os._exit, [9]).start()

port, starts, *ways = sys.argv[1:]
starts = pathlib.Path(starts)
begun = len(starts.read_text()) if starts.exists() else 0
starts.write_text("." * (begun + 1))
how = ways[min(begun, len(ways) - 1)]
if how == "fail":
    sys.exit("this start fails")
HTTPServer(("127.0.0.1", int(port)), Answer).serve_forever()
"""
Told = list[str | None]
Make = Callable[..., tuple[Hosted, Told]]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """One whose server does at each start what `ways` says, without pauses in between; and what it tells."""
    made: list[Hosted] = []
    means: Any = SimpleNamespace(
        processes=Processes(tmp_path / "processes"), guard=SimpleNamespace(reports_metrics=lambda: None)
    )
    (tmp_path / "server.py").write_text(SERVER)

    def one(*ways: str, served: bool = False) -> tuple[Hosted, Told]:
        told: Told = []
        hosted = Hosted(
            means, {"name": "blue"}, tmp_path / "of" / "blue", tell=lambda _, problem: told.append(problem), served=served
        )  # fmt: skip
        hosted.log.parent.mkdir()

        def prepare() -> tuple[list[str], dict[str, str]]:
            hosted.port = hosted.port or lasting_port()
            command = [
                sys.executable,
                str(tmp_path / "server.py"),
                str(hosted.port),
                str(tmp_path / "starts"),
            ]
            return [*command, *ways], {**os.environ, "AML_APP_ROOT": str(tmp_path)}

        monkeypatch.setattr(hosted, "_prepare", prepare)
        monkeypatch.setattr(hosted._stop, "pause", lambda _: None)
        made.append(hosted)
        return hosted, told

    yield one
    for hosted in made:
        hosted.stop()


def test_one_that_has_served_is_started_until_it_serves_again(make: Make) -> None:
    hosted, told = make("serve-once", "fail", "serve")
    hosted.start()
    until(lambda: told == [None, None], "a second time", seconds=30)
    said = hosted.log.read_text()
    assert "it did not start again, and is tried once more: the server ended with 1" in said
    assert "this start fails" in said


def test_the_first_start_decides(make: Make) -> None:
    hosted, told = make("fail", "serve")
    hosted.start()
    until(lambda: told, "the end", seconds=30)
    assert "this start fails" in str(told)


def test_what_served_before_the_workspace_was_started_again_has_served(make: Make) -> None:
    hosted, told = make("fail", "serve", served=True)
    hosted.start()
    until(lambda: told, "that it serves", seconds=30)
    assert told == [None]


def test_what_cannot_be_written_down_is_no_end(make: Make, tmp_path: Path) -> None:
    """On a full disk."""
    hosted, told = make("serve", "serve")
    first: list[Any] = []
    full = OSError(28, "No space left on device")
    results: list[OSError | None] = [full, None]
    taken = hosted._tell

    def tell(one: Hosted, problem: str | None) -> None:
        if result := results.pop(0):
            first.append(one._child)
            raise result
        taken(one, problem)

    hosted._tell = tell
    hosted.start()
    until(lambda: told == [None], "that it serves", seconds=30)
    assert first[0].poll() is not None, "two would serve"
    hosted.log = tmp_path
    hosted._say("a folder takes no line")


def test_its_port_is_one_that_no_outgoing_connection_takes_and_stays_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planner = SimpleNamespace(versioned=lambda *_: {"properties": {"codeUri": "of the code"}})
    means: Any = SimpleNamespace(planner=planner, processes=None)
    deployment = {"name": "blue", "properties": {"codeConfiguration": {"codeId": "code"}}}
    hosted = Hosted(means, deployment, tmp_path / "of" / "blue", tell=lambda *_: None)
    (tmp_path / "score.py").touch()
    monkeypatch.setattr(hosted, "_fetch", lambda *_: tmp_path)
    monkeypatch.setattr(hosted, "_interpreter", lambda _: Path(sys.executable))
    hosted._prepare()
    port = hosted.port
    assert port in RANGE
    hosted._prepare()
    assert hosted.port == port
    with socket.socket() as another:
        another.bind(("127.0.0.1", port))
        another.listen()
        hosted._prepare()
    assert hosted.port != port


def test_a_restart_begins_what_served_and_what_was_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose change was under way is at its first start; what served before it, and before one that failed, is not."""
    began: list[tuple[str, str, bool]] = []

    def hosted(_: Any, deployment: dict[str, Any], *__: Any, served: bool, **___: Any) -> Any:
        began.append((deployment["name"], deployment["properties"], served))
        return SimpleNamespace(start=lambda: None)

    monkeypatch.setattr(deployments, "Hosted", hosted)
    now: dict[str, Any] = {"endpoint": "of", "properties": "new", "made": 2}
    changed = {**now, "served": True, "serving": {"properties": "old", "made": 1}}
    there = [
        {**changed, "name": "succeeded", "state": "Succeeded"},
        {**now, "name": "creating", "state": "Creating"},
        {**now, "name": "never served", "state": "Failed"},
        {**changed, "name": "updating", "state": "Updating"},
        {**changed, "name": "not updated", "state": "Failed"},
    ]
    nothing: Any = None
    settings: Any = SimpleNamespace(folder=tmp_path, environments=tmp_path)
    store: Any = SimpleNamespace(all=lambda _: there)
    Hosting(
        settings=settings, store=store, blobs=nothing, guard=nothing, resolver=nothing, processes=nothing,
        deployed=lambda _: None,
    ).resume()  # fmt: skip
    assert began == [
        ("succeeded", "new", True),
        ("creating", "new", False),
        ("updating", "old", True),
        ("updating", "new", False),
        ("not updated", "old", True),
    ]
