"""A Python 3.13 of this machine with Microsoft's own Functions worker library in it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
VENV = ROOT / ".worker"
LOCK = HERE / "requirements.txt"
SETTING = "CAMPANHA_PYTHON_313"
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
