"""The command line: with no more than an app's folder a host is up, and it may run some functions only."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from running_azure.host import Hosted

TWO = """
@app.route(route="one")
def one(req: func.HttpRequest) -> str:
    return os.environ.get("GREETING", "nothing")


@app.route(route="two")
def two(req: func.HttpRequest) -> str:
    return "two"
"""


def test_chosen_functions_run_and_the_others_do_not(hosted_app: Callable[..., Hosted]) -> None:
    host = hosted_app(TWO)
    host.start("--functions", "two")
    assert host.ask("GET", "/api/two").status == 200
    assert host.ask("GET", "/api/one").status == 404


@pytest.mark.parametrize("greeting", [None, "from the file"])
def test_settings_are_found_beside_the_app(
    hosted_app: Callable[..., Hosted], tmp_path: Path, free_port: Callable[[], int], greeting: str | None
) -> None:
    """An HTTP app needs none at all."""
    app = hosted_app(TWO).app
    if greeting:
        (app / "local.settings.json").write_text(json.dumps({"Values": {"GREETING": greeting}}))
    port = free_port()
    command = [sys.executable, "-m", "localazure", "host", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=app, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == f"ready: host http://127.0.0.1:{port}\n"
            asking = Hosted(folder=tmp_path, port=port, storage="", prefix="")
            assert asking.ask("GET", "/api/one").body.decode() == (greeting or "nothing")
            assert (app / ".localazure" / "host" / "keys.json").exists()
        finally:
            process.terminate()
