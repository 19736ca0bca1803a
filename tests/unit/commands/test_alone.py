"""A part that runs alone in the foreground: who ends the command ends the part."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.stack import ports

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no SIGTERM")
APP = """
import azure.functions as func

app = func.FunctionApp()


@app.route(route="hello")
def hello(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("hello")
"""
Part = tuple[subprocess.Popen[str], int]


@pytest.fixture(params=["host", "events serve"])
def part(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Part]:
    """Running, and the port it serves on."""
    port = ports.choose()["host"]
    command = [*request.param.split(), "--port", str(port), "--state", str(tmp_path / "state")]
    if request.param == "host":
        (tmp_path / "function_app.py").write_text(APP)
        (tmp_path / "host.json").write_text('{"version": "2.0"}')
        command += ["--app", str(tmp_path)]
    started = subprocess.Popen(
        [sys.executable, "commands/__main__.py", *command],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    assert started.stdout is not None
    assert started.stdout.readline().startswith("ready: ")
    yield started, port
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            os.killpg(started.pid, signal.SIGKILL)
    started.wait(10)
    started.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_command_ends_the_part(part: Part, number: signal.Signals) -> None:
    started, port = part
    started.send_signal(number)
    assert started.wait(20) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
