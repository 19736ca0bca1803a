"""The embedded Azure of this checkout in `.venv`: installed from its folder, so that an edit there counts at once."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from commands.setup.console import Line, run
from commands.setup.counting import NpmFolder
from localazure.installer import chosen
from localazure.storage.program import HOME, LOCK, NotInstalled, by_content, installed

SOURCES = Path("localazure", "src")


def is_ready(root: Path) -> bool:
    """True when `.venv` has the command and metadata that the folder's pyproject.toml declares now, and where it is now."""
    stamp = _stamp(root)
    return stamp.exists() and stamp.read_text() == _installed_here(root)


def install(root: Path, line: Line) -> None:
    """Without the network: what it needs, and what builds it, are in the checkout's lock."""
    means = chosen()
    here = ("--no-index", "--no-deps", "--no-build-isolation", "--editable", str(root / "localazure"))
    log = root / ".venv" / "localazure.log"
    run(means.install(root / ".venv", *here), line=line, log=log, env=means.environment())
    _write(_stamp(root), _installed_here(root))


def has_storage(root: Path) -> bool:
    """True when Azurite was installed from the lock that localazure has now, and is there."""
    stamp = _storage_stamp()
    if not (stamp.exists() and stamp.read_text() == _digest(_storage_lock(root))):
        return False
    try:
        installed()
    except NotInstalled:  # what it has written down of itself is where it was before this checkout was moved
        return False
    return True


def install_storage(root: Path, line: Line) -> None:
    """`localazure setup`, as anybody would, on this very Python: it needs nothing that `.venv` has."""
    stamp = _storage_stamp()
    run(
        [sys.executable, "-m", "localazure", "setup"],
        line=line,
        log=stamp.with_name("setup.log"),
        words=NpmFolder(LOCK, _azurite_folder),
        env={**os.environ, "PYTHONPATH": str(root / SOURCES)},
    )
    _write(stamp, _digest(_storage_lock(root)))


def _azurite_folder() -> Path | None:
    folder = by_content("azurite", LOCK)
    return folder if folder.exists() else None


def _installed_here(root: Path) -> str:
    """What the stamp says: an environment that was moved, or copied, names the folder where it was made."""
    place = str((root / ".venv").resolve())  # a link to another checkout's is as that one has it
    project = _digest(root / "localazure" / "pyproject.toml")
    return hashlib.sha256(f"{project} {place}".encode()).hexdigest()


def _stamp(root: Path) -> Path:
    return root / ".venv" / "localazure-installed"


def _storage_stamp() -> Path:
    return Path(os.environ[HOME]) / "campanha-installed"


def _storage_lock(root: Path) -> Path:
    return root / SOURCES / "localazure" / "storage" / LOCK.name


def _write(stamp: Path, text: str) -> None:
    """In a new file: the old one may be linked into another checkout."""
    stamp.unlink(missing_ok=True)
    stamp.write_text(text)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
