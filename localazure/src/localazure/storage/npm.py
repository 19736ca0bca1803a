"""npm as we use it: what a lock names, by hash, and no package runs a script of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from localazure.storage.node import Node, SetupFailed

_LINES_IN_ERROR = 20


def install_locked(found: Node, folder: Path, *, what: str) -> None:
    """Make `node_modules` of `folder` hold what its package-lock.json names, and nothing else.

    raises: SetupFailed with the end of npm's words, when the registry cannot be reached for instance
    """
    path = os.pathsep.join([str(found.binary.parent), os.environ.get("PATH", "")])
    command = [
        str(found.binary), str(found.npm), "ci", "--prefix", str(folder), "--ignore-scripts", "--no-audit",
        "--no-fund",
    ]  # fmt: skip
    done = subprocess.run(
        command,
        env={**os.environ, "PATH": path, "npm_config_update_notifier": "false"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join(done.stdout.splitlines()[-_LINES_IN_ERROR:])
        raise SetupFailed(
            f"npm could not install {what} (it ended with {done.returncode}):\n{said}\n"
            "It asks the registry that npm is configured for; npm_config_registry names another one."
        )
