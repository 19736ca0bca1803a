"""Finds the installed Azurite and the Node that runs it, as `./dev` recorded them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

RECORD = Path(__file__).resolve().parents[2] / ".azurite" / "program.json"


class NotInstalled(Exception):
    """Azurite is not installed in this checkout; `./dev up` (or `./dev test`) installs it."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to start: the real `node` binary (no wrapper) and Azurite's main script."""

    node: Path
    main: Path

    @property
    def compiled(self) -> Path:
        """Where Node keeps the compiled form of what it has once read: a start takes a third less with it."""
        return self.main.parents[4] / "compiled"


def installed(record: Path = RECORD) -> Program:
    """The program named in `record`; raises NotInstalled when it is not (or no longer) there."""
    try:
        named = json.loads(record.read_text(encoding="utf-8"))
        program = Program(node=Path(named["node"]), main=Path(named["main"]))
    except (OSError, ValueError, KeyError) as cause:
        raise NotInstalled(f"{record} is missing: `./dev up` installs Azurite.") from cause
    if not (program.node.exists() and program.main.exists()):
        raise NotInstalled(f"{record} names files that are gone: `./dev up` installs Azurite again.")
    return program
