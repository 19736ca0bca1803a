"""The workspace's README does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import pytest

from running_azure import PACKAGE
from running_azure.workspace import Server


@pytest.mark.slow
def test_the_example_runs(server: Server) -> None:
    """As it stands there, with the variables the workspace itself prints."""
    text = (PACKAGE / "workspace" / "README.md").read_text(encoding="utf-8")
    [script] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(script.splitlines()) <= 10
    variables = server.printed_variables()
    assert variables == {name: value for name, value in server.variables.items() if name != "NO_PROXY"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **variables, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "it runs" in done.stdout


def test_help_says_how_it_is_used_and_routes_what_there_is() -> None:
    began = time.monotonic()
    command = [sys.executable, "-m", "localazure", "workspace"]
    told = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout
    assert "--state" in told
    assert "127.0.0.1" in told
    routes = subprocess.run([*command, "--routes"], capture_output=True, text=True, check=True).stdout
    assert "PUT    {WS}/schedules/{name}" in routes
    print(f"\nworkspace: --help and --routes in {time.monotonic() - began:.2f} s")
