"""What set-up and use have laid into this checkout, part by part: where, how large, which version, whether in order."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from commands.catalog import COMMANDS, STORAGE, UV
from commands.setup import locks
from commands.setup.bank_rows import CACHE
from commands.setup.counting import locked_packages
from commands.setup.disk import Ledger
from commands.setup.needs import PARTS
from localazure.installer import python_in
from localazure.storage.program import NotInstalled, installed

BY_PRODUCTS = (".mypy_cache", ".ruff_cache", ".import_linter_cache", ".hypothesis", "localazure/.worker")
"""What checks and tests keep for their next time."""
COMPILED = "__pycache__"


@dataclass(frozen=True, kw_only=True)
class Laid:
    """A part of the set-up as it is here."""

    part: str
    label: str
    folder: str
    ready: bool
    there: bool
    """Its folder exists, of whatever lock."""
    bytes: int
    """Of files that no part before it has."""
    version: str
    installed_by: str
    """The first command that needs it."""


def parts(root: Path, sizes: Ledger) -> Iterator[Laid]:
    """Of each part what is there."""
    for name, part in PARTS.items():
        folder = root / part.folder
        ready = part.is_ready(root)
        yield Laid(
            part=name,
            label=part.label,
            folder=part.folder,
            ready=ready,
            there=folder.exists(),
            bytes=sizes.new_bytes(folder),
            version=_version(root, name) if ready else "",
            installed_by=next((one for one, command in COMMANDS.items() if name in command.needs), ""),
        )


def removable(root: Path) -> list[tuple[Path, str]]:
    """What can be had again by the commands that made it, with what it is; nothing of anybody's work."""
    known: dict[str, str] = {}
    for part in PARTS.values():
        known.setdefault(part.folder.removesuffix("/venv"), part.label)
    known |= {CACHE.parent.name: "the demo's rows"} | dict.fromkeys(BY_PRODUCTS, "kept by checks and tests")
    places = [(root / folder, what) for folder, what in known.items()]
    places += [(folder, "compiled by Python") for folder in sorted(_compiled(root))]
    return [(place, what) for place, what in places if place.exists()]


def _compiled(root: Path) -> Iterator[Path]:
    yield from root.glob(COMPILED)
    for folder in root.iterdir():
        if folder.is_dir() and not folder.name.startswith("."):
            yield from folder.rglob(COMPILED)


def _version(root: Path, part: str) -> str:
    told: dict[str, Callable[[Path], str]] = {UV: _of_uv, STORAGE: _of_storage}
    if part in told:
        return told[part](root)
    lock = locks.OF_GROUPS.get(part)
    return f"{locked_packages(root / lock)} packages of {lock}" if lock else ""


def _of_uv(root: Path) -> str:
    found = re.search(r"^uv==(\S+)", (root / locks.UV).read_text(encoding="utf-8"), re.MULTILINE)
    return f"uv {found[1]}" if found else ""


def _of_storage(_: Path) -> str:
    try:
        program = installed()
    except NotInstalled:
        return ""
    package = json.loads((program.main.parents[2] / "package.json").read_text(encoding="utf-8"))
    node = subprocess.run([program.node, "--version"], capture_output=True, text=True, check=False).stdout
    return f"Azurite {package['version']}, Node {node.strip()}"


def python_of(root: Path) -> str:
    """The version that `.venv` was made with; empty when there is none."""
    made = root / ".venv" / "pyvenv.cfg"
    if not (made.exists() and python_in(root / ".venv").exists()):
        return ""
    found = re.search(r"^version(?:_info)? *= *(\S+)", made.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""
