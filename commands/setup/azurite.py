"""Azurite from npm, at the version and hashes of `localazure/storage/package-lock.json`, in `.azurite`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from commands.setup import node
from commands.setup.console import run


def is_ready(root: Path) -> bool:
    """True when `.azurite/program.json` names this lock's Azurite and a Node that is still there."""
    try:
        program = json.loads((root / ".azurite" / "program.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return program["lock"] == _digest(root) and all(os.path.exists(program[key]) for key in ("node", "main"))


def install(root: Path) -> None:
    """Install Azurite; `program.json`, written last, tells `localazure.storage` what to start."""
    folder, source = root / ".azurite", root / "localazure" / "storage"
    found = node.find_or_install(root)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(source / name, folder / name)
    path = os.pathsep.join([str(found.binary.parent), os.environ.get("PATH", "")])
    run(
        [
            str(found.binary), str(found.npm), "ci", "--prefix", str(folder), "--ignore-scripts",
            "--no-audit", "--no-fund", "--loglevel", "http",
        ],
        label="Azurite into .azurite",
        log=folder / "install.log",
        counted=r"npm http (fetch GET 200|cache) .*\.tgz",
        env={**os.environ, "PATH": path, "npm_config_update_notifier": "false"},
    )  # fmt: skip
    main = folder / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
    program = {"lock": _digest(root), "node": str(found.binary), "main": str(main)}
    (folder / "program.json").write_text(json.dumps(program, indent=1), encoding="utf-8")


def _digest(root: Path) -> str:
    return hashlib.sha256((root / "localazure" / "storage" / "package-lock.json").read_bytes()).hexdigest()
