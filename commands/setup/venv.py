"""A virtual environment holding exactly what a hash-locked requirements file names."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from commands.setup.console import SetupError, run

STAMP = "campanha-installed"


def python_in(folder: Path) -> Path:
    """Where the interpreter of the virtual environment in `folder` is."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def is_ready(folder: Path, lock: Path) -> bool:
    """True when `folder` was installed to the end from this very lock."""
    stamp = folder / STAMP
    return stamp.exists() and stamp.read_text() == _digest(lock) and python_in(folder).exists()


def install(folder: Path, lock: Path, *, label: str) -> None:
    """Make `folder` hold what `lock` says.

    The stamp is written last, and removed first: a folder without one was interrupted and is made again.
    """
    stamp = folder / STAMP
    if stamp.exists() and python_in(folder).exists():
        stamp.unlink()
    else:
        _create(folder)
    run(
        [
            str(python_in(folder)), "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
            "--progress-bar", "off", "--only-binary", ":all:", "--require-hashes", "--no-deps",
            "-r", str(lock),
        ],
        label=label,
        log=folder / "install.log",
        counted=r"^Collecting |^Requirement already satisfied",
    )  # fmt: skip
    stamp.write_text(_digest(lock))


def _create(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(folder)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise SetupError(
            f"{sys.executable} could not make the virtual environment {folder}.\n{made.stdout}{made.stderr}"
            "On Debian and Ubuntu the package python3-venv brings what is missing."
        )


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()
