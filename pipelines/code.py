"""A pipeline's code folder: its scripts, and every module of ours that they import, wherever it lies here.

Azure ML uploads one folder for a step, and the endpoint's folder must hold the model's modules itself. Putting the
folders together when publishing keeps one copy of each in the repository, which cannot drift from another.
"""

from __future__ import annotations

import ast
import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipelines.conda import ROOT

Code = Mapping[str, Path]
"""By place in the folder: the file here."""

HOMES = (ROOT / "pipelines" / "steps", ROOT / "serving")
"""Whose modules lie side by side in the folder."""
PACKAGE = "shared"
"""Whose modules keep their package."""


def code_of(commands: Iterable[str]) -> Code:
    """commands: the steps' command lines, `python <script> ...`"""
    found: dict[str, Path] = {}
    waiting = [line.split()[1] for line in commands]
    while waiting:
        place = waiting.pop()
        file = _file(place)
        if file is not None and place not in found:
            found[place] = file
            waiting += [other for module in _imported(file) for other in _places(module)]
    return dict(sorted(found.items()))


def assemble(code: Code, folder: Path) -> Path:
    """The code folder, which is complete in itself."""
    for place, file in code.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / place)
    return folder


def digest(files: Code, *more: str) -> str:
    """A version: short, the same for the same content wherever it lies here."""
    found = hashlib.sha256(repr(more).encode())
    for place, file in files.items():
        found.update(f"\0{place}\0".encode() + file.read_bytes())
    return found.hexdigest()[:12]


def _file(place: str) -> Path | None:
    homes = (ROOT,) if place.startswith(f"{PACKAGE}/") else HOMES
    return next((home / place for home in homes if (home / place).is_file()), None)


def _imported(file: Path) -> Iterator[str]:
    """Every module that may be meant: `from a import b` may mean a.b too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _places(module: str) -> Iterator[str]:
    """Where the module would be; its packages come with it."""
    parts = module.split(".")
    if parts[0] == PACKAGE:
        yield from ("/".join([*parts[:depth], "__init__.py"]) for depth in range(1, len(parts) + 1))
    yield f"{'/'.join(parts)}.py"
