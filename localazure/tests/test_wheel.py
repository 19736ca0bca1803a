"""What a newcomer does: the wheel into an empty environment, `localazure up`, the README's script. Needs registries."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from localazure.ports import lasting_port
from localazure.up.addresses import USUAL
from running_azure import DISTRIBUTION

NOT_FOR_STRANGERS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LOCALAZURE_HOME")


def ran(*command: str | Path, **more: object) -> str:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=600, check=False, **more
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without the network, by the backend that is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    ran(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index",
        "--no-build-isolation", "--wheel-dir", folder, DISTRIBUTION,
    )  # fmt: skip
    [built] = folder.glob("localazure-*.whl")
    return built


def test_the_wheel_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for needed in (
        "storage/azurite.js",
        "storage/package-lock.json",
        "storage/node-requirements.txt",
        "py.typed",
    ):
        assert f"localazure/{needed}" in names
    packages = {name.partition("/")[0] for name in names}
    assert {name for name in packages if not name.endswith(".dist-info")} == {"localazure"}
    assert not [name for name in names if "test" in name or name.endswith(("support.py", ".pyc"))]
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.slow
def test_a_newcomers_script_runs_where_nothing_else_is(wheel: Path, tmp_path: Path) -> None:
    script, *_ = re.findall(r"```python\n(.*?)```", (DISTRIBUTION / "README.md").read_text(), re.DOTALL)
    assert len([line for line in script.splitlines() if line]) <= 20
    environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_STRANGERS}
    environment["LOCALAZURE_HOME"] = str(tmp_path / "programs")
    empty = tmp_path / "empty"
    empty.mkdir()
    python = tmp_path / "venv" / "bin" / "python"
    ran(sys.executable, "-m", "venv", tmp_path / "venv")
    known = (
        tmp_path / "known.txt"
    )  # the versions that these tests run with: what an index has newer is not their affair
    known.write_text("".join(sorted(f"{one.name}=={one.version}\n" for one in importlib.metadata.distributions()
                                    if one.name != "localazure")))  # fmt: skip
    install = (
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--constraint",
        known,
    )
    ran(*install, wheel, env=environment, cwd=empty)
    assert ran(python.with_name("localazure"), "--version", cwd=empty).startswith("localazure ")
    ran(*install, "azure-ai-ml", "azure-identity", env=environment, cwd=empty)  # the newcomer's own

    ports = [f"--{name}-port={lasting_port()}" for name in USUAL]
    command = [str(python.with_name("localazure")), "up", "--json", *ports]
    with subprocess.Popen(command, cwd=empty, env=environment, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout
        try:
            told = json.loads(up.stdout.readline())
            said = ran(python, "-c", script, cwd=empty, env=environment | told["environment"])
        finally:
            up.send_signal(signal.SIGINT)
            assert up.wait(60) == 0
    assert "it runs" in said
    assert re.search(r"^rows 1 \['[\w_]+'\]$", said, re.MULTILINE)
