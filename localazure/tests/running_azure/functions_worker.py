"""A Python 3.13 of this machine with Microsoft's own Functions worker library in it, and what that finds in an app."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from running_azure import DISTRIBUTION

Index = Callable[..., list[dict[str, Any]]]

HERE = DISTRIBUTION / "tests" / "host" / "conformance"
VENV = DISTRIBUTION / ".worker"
LOCK = HERE / "requirements.txt"
SETTING = "LOCALAZURE_PYTHON_313"
"""Names the interpreter when none is found by itself."""


def found() -> Path | None:
    """The interpreter, in the usual places; None when there is none."""
    named = os.environ.get(SETTING)
    versions = sorted(Path.home().glob(".pyenv/versions/3.13*/bin/python3.13"))
    candidates = [named, shutil.which("python3.13"), *map(str, reversed(versions))]
    return next((Path(one) for one in candidates if one and _is_it(one)), None)


def _is_it(python: str) -> bool:
    """A shim of a version manager may stand for nothing."""
    asked = [python, "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 13))"]
    try:
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def with_worker(python: Path) -> Path:
    """The interpreter of a virtual environment that holds what the lock says; kept for the next time."""
    there = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = VENV / "installed"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted and there.exists():
        return there
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([str(python), "-m", "venv", str(VENV)], check=True, capture_output=True)
    (VENV / ".gitignore").write_text("*\n")
    install(there, LOCK)
    stamp.write_text(wanted)
    return there


def install(python: Path, lock: Path) -> None:
    command = [
        str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
        "--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(lock),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def worker() -> Path:
    """The interpreter that has Microsoft's library."""
    python = found()
    if python is None:
        pytest.skip(f"no Python 3.13 here: put python3.13 on PATH, or name one in {SETTING}")
    return with_worker(python)


@pytest.fixture
def indexed(worker: Path) -> Index:
    """Call it with app folders: what the worker makes of each."""

    def ask(*folders: Path, python: Path = worker) -> list[dict[str, Any]]:
        command = [str(python), str(HERE / "indexed_by_worker.py"), *map(str, folders)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    return ask


def ours(folder: Path) -> dict[str, Any]:
    """What our host makes of the app, in a process of its own and on the Python of these tests."""
    script = (
        "import json, os, sys\n"
        "from pathlib import Path\n"
        "from localazure.host import index\n"
        "from localazure.host.host_json import HostJson\n"
        "found = index.load(Path(sys.argv[1]), HostJson(), os.environ)\n"
        "print(json.dumps({one.name: [dict(b) for b in one.bindings] for one in found}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode:
        return {"error": done.stderr}
    return {"functions": json.loads(done.stdout.splitlines()[-1])}


def same(found: dict[str, Any]) -> dict[str, list[str]]:
    """Functions and bindings, each in one form; the worker notes beside some how it hands their values on."""
    return {
        name: sorted(
            json.dumps({key: value for key, value in one.items() if key != "properties"}, sort_keys=True)
            for one in bindings
        )
        for name, bindings in found["functions"].items()
    }
