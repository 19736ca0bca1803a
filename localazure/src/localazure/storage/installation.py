"""Installs Azurite from npm, at the versions and hashes of `package-lock.json`, and a Node when there is none."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from localazure.locks import only_one
from localazure.storage import node
from localazure.storage.node import SetupFailed
from localazure.storage.program import LOCK, NotInstalled, Program, by_content, home, installed

_LINES_IN_ERROR = 20


def provide() -> Program:
    """The installed program; when it is not there, installs it first and says so on stderr.

    raises: SetupFailed with the end of npm's words, when the registry cannot be reached for instance
    """
    try:
        return installed()
    except NotInstalled:
        with only_one(home() / "setup.lock"):
            try:
                return installed()  # by whoever held the lock
            except NotInstalled:
                return _install()


def _install() -> Program:
    """`program.json`, written last, says that all is there."""
    folder = by_content("azurite", LOCK)
    began = time.monotonic()
    print(
        f"localazure: installing Azurite into {folder} (once, a minute or less)", file=sys.stderr, flush=True
    )
    found = node.find_or_install()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("package.json", LOCK.name):
        shutil.copyfile(LOCK.with_name(name), folder / name)
    _npm_ci(found, folder)
    main = folder / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
    record = {"node": str(found.binary), "main": str(main)}
    (folder / "program.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    print(f"localazure: installed in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return installed()


def _npm_ci(found: node.Node, folder: Path) -> None:
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
            f"npm could not install Azurite (it ended with {done.returncode}):\n{said}\n"
            "It asks the registry that npm is configured for; npm_config_registry names another one."
        )


def main(arguments: list[str] | None = None) -> int:
    """Install it now, and say where it is."""
    made = argparse.ArgumentParser(
        prog="localazure setup",
        description="Installs Azurite, and Node when this machine has none that is new enough, now rather than "
        "at the first start of storage. Both go to LOCALAZURE_HOME, by default a folder in the user's cache.",
    )
    made.parse_args(arguments)
    try:
        program = provide()
    except (SetupFailed, OSError) as problem:
        print(f"localazure: {problem}", file=sys.stderr)
        return 1
    print(program.main)
    return 0
