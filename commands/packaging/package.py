"""Lays the package out in a folder: what Azure unpacks, and what the embedded host can run."""

from __future__ import annotations

import shutil
from pathlib import Path

from commands.packaging import libraries, sources


def lay_out(root: Path, target: Path, python: str) -> list[str]:
    """The app's files and its libraries for one Python; returns: the files that are not as they were committed"""
    shutil.rmtree(target, ignore_errors=True)
    files = sources.copy_sources(root, target)
    libraries.install(root, target / libraries.FOLDER, python)
    return sources.changed_files(root, files)
