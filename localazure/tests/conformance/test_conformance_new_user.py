"""A newcomer's script, as it stands, in a folder of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from running_azure.target import Target

SCRIPT = Path(__file__).parent / "new_user"


@pytest.mark.slow
def test_the_script_runs_unchanged(target: Target, name: str, tmp_path: Path) -> None:
    shutil.copytree(SCRIPT, tmp_path / "mine")
    named = {
        "SUBSCRIPTION_ID": target.subscription, "RESOURCE_GROUP": target.group, "WORKSPACE_NAME": target.workspace,
        "COMPUTE": target.compute, "ENDPOINT_NAME": name,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path / "mine",
        env={**os.environ, **target.variables, **named},
        capture_output=True,
        text=True,
        timeout=target.patience * 3,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "mine/downloaded/named-outputs/model/line.json").exists()
    answers = re.findall(
        r"(blue|green|back) (\[.*\])$", done.stdout, re.MULTILINE
    )  # the SDK prints dots before
    assert answers == [("blue", "[93.5, 131.8]"), ("green", "[36.8, 51.9]"), ("back", "[93.5, 131.8]")]


def test_the_script_is_as_short_as_promised() -> None:
    lines = [line for line in (SCRIPT / "script.py").read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= 45
    assert not any("127.0.0.1" in line or "localazure" in line for line in lines)
