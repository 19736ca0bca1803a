"""The environment variables under which everything in this checkout is installed and run."""

from __future__ import annotations

import os
from pathlib import Path

from localazure.installer import UV, python_in
from localazure.storage.program import HOME

PROGRAMS = ".azurite"
"""What localazure installs for itself, Azurite and Node, goes into the checkout too."""
UV_FOLDER = ".uv/venv"
INSTALLER = "CAMPANHA_INSTALLER"
"""With the value `pip`, everything is installed by pip, for a registry that uv cannot use."""


def uv_in(root: Path) -> Path:
    """Where uv is, or would be; what it has fetched is kept beside it."""
    return python_in(root / UV_FOLDER).with_name("uv.exe" if os.name == "nt" else "uv")


def python_with_pip(root: Path) -> Path:
    """An interpreter that has pip: the one that installed uv, or where there is none, the one that installed all else."""
    with_uv = python_in(root / UV_FOLDER)
    return with_uv if with_uv.exists() else python_in(root / ".venv")


def pip_is_wanted() -> bool:
    """True when the user has told us to do without uv."""
    return os.environ.get(INSTALLER) == "pip"


def settle(root: Path) -> None:
    """Sets them for this process and those it starts; what the user has set stands."""
    os.environ.setdefault(HOME, str(root / PROGRAMS))
    if not pip_is_wanted():
        os.environ.setdefault(UV, str(uv_in(root)))
    # Beside what it fills, since files are linked only within one file system.
    os.environ.setdefault("UV_CACHE_DIR", str(root / ".uv" / "cache"))
    # Nothing is compiled when it is installed. Where an image forbids to keep what is compiled at the first use, each
    # job, deployment and test worker would compile all its libraries anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
