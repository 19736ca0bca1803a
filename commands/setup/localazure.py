"""The embedded Azure of this checkout in `.venv`: installed from its folder, so that an edit there counts at once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from commands.setup import venv
from commands.setup.console import run

HOME = ".azurite"
"""What localazure installs for itself, Azurite and Node, goes into the checkout too."""


def install_programs_in(root: Path) -> None:
    """Sets where localazure installs programs, for this process and those it starts; a place already set stands."""
    os.environ.setdefault("LOCALAZURE_HOME", str(root / HOME))


def is_ready(root: Path) -> bool:
    """True when `.venv` has the command and metadata that the folder's pyproject.toml declares now."""
    stamp = _stamp(root)
    return stamp.exists() and stamp.read_text() == _digest(root / "localazure" / "pyproject.toml")


def install(root: Path) -> None:
    """Without the network: what it needs, and what builds it, are in the checkout's lock."""
    run(
        [
            str(venv.python_in(root / ".venv")), "-m", "pip", "install", "--disable-pip-version-check",
            "--no-input", "--no-index", "--no-deps", "--no-build-isolation", "--editable", str(root / "localazure"),
        ],
        label="localazure into .venv",
        log=root / ".venv" / "localazure.log",
        counted="^Successfully built",
    )  # fmt: skip
    _stamp(root).write_text(_digest(root / "localazure" / "pyproject.toml"))


def has_storage(root: Path) -> bool:
    """True when Azurite was installed from the lock that localazure has now."""
    stamp = _storage_stamp()
    return stamp.exists() and stamp.read_text() == _digest(_storage_lock(root))


def install_storage(root: Path) -> None:
    """`localazure setup`, as anybody would."""
    stamp = _storage_stamp()
    run(
        [str(venv.python_in(root / ".venv")), "-m", "localazure", "setup"],
        label="Azurite, and Node if there is none",
        log=stamp.with_name("setup.log"),
        counted="^localazure: ",
    )
    stamp.write_text(_digest(_storage_lock(root)))


def _stamp(root: Path) -> Path:
    return root / ".venv" / "localazure-installed"


def _storage_stamp() -> Path:
    return Path(os.environ["LOCALAZURE_HOME"]) / "campanha-installed"


def _storage_lock(root: Path) -> Path:
    return root / "localazure" / "src" / "localazure" / "storage" / "package-lock.json"


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
