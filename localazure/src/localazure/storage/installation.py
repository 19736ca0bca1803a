"""Installs Azurite from npm, at the versions and hashes of `package-lock.json`, and a Node when there is none."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time

from localazure.locks import only_one
from localazure.storage import node, npm
from localazure.storage.node import SetupFailed
from localazure.storage.program import LOCK, NotInstalled, Program, by_content, home, installed

NO_TELEMETRY = "no-telemetry"
"""What package.json has npm take for Azurite's telemetry: two thirds of all it would install, and never called."""


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
    print(f"localazure: installing Azurite into {folder} (once)", file=sys.stderr, flush=True)
    found = node.find_or_install()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("package.json", LOCK.name):
        shutil.copyfile(LOCK.with_name(name), folder / name)
    shutil.copytree(LOCK.with_name(NO_TELEMETRY), folder / NO_TELEMETRY)
    npm.install_locked(found, folder, what="Azurite")
    main = folder / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
    record = {"node": str(found.binary), "main": str(main)}
    (folder / "program.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    print(f"localazure: installed in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return installed()


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
