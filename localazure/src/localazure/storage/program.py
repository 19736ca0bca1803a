"""Where Azurite and the Node that runs it are installed, and whether they are."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

HOME = "LOCALAZURE_HOME"
LOCK = Path(__file__).with_name("package-lock.json")
"""Azurite and all it needs, by version and hash."""


class NotInstalled(Exception):
    """Azurite is not there, or not any more: `localazure setup` installs it."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to start: the real `node` binary (no wrapper) and Azurite's main script."""

    node: Path
    main: Path

    @property
    def compiled(self) -> Path:
        """Where Node keeps the compiled form of what it has once read: a start takes a third less with it."""
        return self.main.parents[4] / "compiled"


def home() -> Path:
    """The folder for what is installed once and serves every state: LOCALAZURE_HOME, else the user's cache."""
    if given := os.environ.get(HOME):
        return Path(given).expanduser().resolve()
    if sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "localazure"


def by_content(name: str, lock: Path) -> Path:
    """A folder of `home` for what `lock` names: another lock is another folder, so versions lie side by side."""
    return home() / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"


def installed() -> Program:
    """What was installed from this very lock; raises NotInstalled when it is not (or no longer) there."""
    record = by_content("azurite", LOCK) / "program.json"
    try:
        named = json.loads(record.read_text(encoding="utf-8"))
        program = Program(node=Path(named["node"]), main=Path(named["main"]))
    except (OSError, ValueError, KeyError) as cause:
        raise NotInstalled(f"{record} is missing: `localazure setup` installs Azurite.") from cause
    if not (program.node.exists() and program.main.exists()):
        raise NotInstalled(f"{record} names files that are gone: `localazure setup` installs Azurite again.")
    return program
