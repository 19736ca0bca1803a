"""Builds the playground: static files, in which the visitor's browser runs the flow by its own Python.

index.html, page/     the page; css/, vendor/: the dashboard's colours and typeface
pyodide/              Python for browsers, from npm, by its hash
python/campanha.zip   the product and the simulation, compiled, with the stand-ins for what no browser has
story.json, traces/, beginnings/   what `playground/bake.py` computed
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from commands import ROOT
from localazure.storage.node import find_or_install

SOURCES = ROOT / "playground"
FOLDER = ROOT / ".playground"
PYODIDE = SOURCES / "node_modules" / "pyodide"
OF_PYODIDE = (
    "pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json", "package.json",
)  # fmt: skip
RUNS = ("shared", "functions", "simulation", "contracts", "recipes")
"""Of the repository, what the simulation needs."""
STAND_INS = ("libraries", "browser")
OF_DASHBOARD = ("css/tokens.css", "css/base.css", "vendor/plex", "img/mark.svg")
"""Of web/public."""


class BuildFailed(Exception):
    """The message is the end of what the failing part said."""


def build(folder: Path = FOLDER) -> None:
    """Writes the site anew. raises: BuildFailed"""
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        site = Path(made) / "site"
        shutil.copytree(SOURCES / "site", site)
        _copy(PYODIDE, site / "pyodide", OF_PYODIDE)
        _copy(ROOT / "web" / "public", site, OF_DASHBOARD)
        _run([sys.executable, str(SOURCES / "bake.py"), str(site)])
        _packed(Path(made) / "python", site / "python" / "campanha.zip")
        shutil.rmtree(folder, ignore_errors=True)
        site.rename(folder)


def _copy(source: Path, target: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (source / name).is_dir() else shutil.copyfile
        copy(source / name, target / name)


def _packed(work: Path, archive: Path) -> None:
    for file, name in _files():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, work / name)
    _run([str(find_or_install().binary), str(SOURCES / "compile.mjs"), str(PYODIDE), str(work)])
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(work.rglob("*")):
            if file.is_file():
                packed.write(file, file.relative_to(work))


def _files() -> Iterator[tuple[Path, Path]]:
    """Each file, and where the browser's Python finds it."""
    for name in RUNS:
        yield from ((file, file.relative_to(ROOT)) for file in _sources(ROOT / name))
    for name in STAND_INS:
        top = SOURCES / "stand_ins" / name
        yield from ((file, file.relative_to(top)) for file in _sources(top))
    yield SOURCES / "in_browser.py", Path("in_browser.py")
    yaml = find_spec("yaml")
    if yaml is None or yaml.origin is None:
        raise BuildFailed("PyYAML is not installed here")
    # Its parts in C are optional.
    yield from ((file, Path("yaml") / file.name) for file in Path(yaml.origin).parent.glob("*.py"))


def _sources(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file() and "__pycache__" not in file.parts)


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildFailed("\n".join((done.stdout + done.stderr).splitlines()[-20:]))
