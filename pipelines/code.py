"""A pipeline's code snapshot: the modules that its steps run, and every module of ours that they import.

Azure ML uploads one folder for a step and runs its command there, so the folder is the first place Python searches for
modules. Each of ours lies in it under its package's name: none can be taken for a library's, nor the other way round.
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

PACKAGES = ("pipelines", "serving", "shared")


def module_of(line: str) -> str:
    """The module that a step's command line runs. line: `python -m <module> ...`"""
    _, _, module, *_ = line.split()
    return module


def code_of(commands: Iterable[str]) -> Code:
    """commands: the steps' command lines"""
    found: dict[str, Path] = {}
    waiting = [place for line in commands for place in _places(module_of(line))]
    while waiting:
        place = waiting.pop()
        file = ROOT / place
        if place not in found and file.is_file():
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


def _imported(file: Path) -> Iterator[str]:
    """Every module that may be meant: `from a import b` may mean a.b too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _places(module: str) -> Iterator[str]:
    """Where a module of ours would be; its packages come with it."""
    parts = module.split(".")
    if parts[0] in PACKAGES:
        yield from ("/".join([*parts[:depth], "__init__.py"]) for depth in range(1, len(parts) + 1))
        yield f"{'/'.join(parts)}.py"
