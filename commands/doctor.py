"""Say what lies where in this checkout: parts of the set-up with size and version, state folders, and what is missing.

Starts and installs nothing. `--sign-in [IDENTITY]` says instead who is let in where, against the stack that runs or the
workspace that the environment names: what works, what is missing, and the role that would mend it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from commands import ROOT
from commands.setup import inventory
from commands.setup.disk import Ledger, megabytes
from commands.setup.process_environment import settle
from commands.stack.errors import StackError
from commands.stack.found import Found, stacks
from localazure.installer import python_in

HELP = ("-h", "--help")


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(prog="./dev doctor", description=__doc__)
    made.add_argument("--json", action="store_true", help="for programs")
    made.add_argument("--sign-in", action="store_true", help="try the sign-in; `--sign-in --help` says more")
    given, more = made.parse_known_args(
        [one for one in arguments if one not in HELP or "--sign-in" not in arguments]
    )
    settle(ROOT)
    if given.sign_in:
        return _sign_in([*more, *(one for one in arguments if one in HELP)])
    if more:
        made.error(f"unrecognized arguments: {' '.join(more)}")
    sizes = Ledger()
    parts = list(inventory.parts(ROOT, sizes))
    states = [(one, sizes.new_bytes(one.folder)) for one in stacks(ROOT)]
    whole = sizes.new_bytes(ROOT)
    if given.json:
        print(json.dumps(_document(parts, states), indent=1))
    else:
        _show_machine()
        _show_parts(parts)
        _show_states(states)
        rest = megabytes(whole)
        print(
            f"\nThe repository itself, with all else in it: {rest}. ./dev clean frees what set-up can lay again."
        )
    return 0


def _sign_in(arguments: list[str]) -> int:
    """By the libraries that the stack has; the doctor itself does without any."""
    python = python_in(ROOT / ".venv")
    if not python.exists():
        raise StackError("The libraries that sign in are not installed yet: `./dev up` installs them.")
    paths = os.pathsep.join([str(ROOT), str(ROOT / "localazure" / "src")])
    env = {**os.environ, "PYTHONPATH": paths}
    return subprocess.call([str(python), "-m", "commands.deployment.sign_in_report", *arguments], env=env)


def _document(parts: list[inventory.Laid], states: list[tuple[Found, int]]) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "freeBytes": shutil.disk_usage(ROOT).free,
        "parts": [{_camel(name): value for name, value in asdict(one).items()} for one in parts],
        "states": [
            {"folder": str(one.folder), "running": one.running, "bytes": size, "unwell": one.unwell}
            for one, size in states
        ],
    }


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(map(str.capitalize, more))


def _show_machine() -> None:
    free = shutil.disk_usage(ROOT).free
    print(
        f"Python {platform.python_version()} ({sys.executable}), {platform.platform()}, {os.cpu_count()} cores"
    )
    inside = inventory.python_of(ROOT)
    print(f".venv: {f'Python {inside}' if inside else 'none yet'}. {megabytes(free)} free on this disk.\n")


def _show_parts(parts: list[inventory.Laid]) -> None:
    for one in parts:
        if one.ready:
            how = "in order"
        elif one.there:
            how = f"missing, or of another lock: ./dev {one.installed_by} installs it"
        else:
            how = f"missing: ./dev {one.installed_by} installs it"
        size = megabytes(one.bytes) if one.bytes else ""
        print(f"  {one.label:<50} {size:>9}  {one.folder:<30} {one.version or how}")
    print(
        f"  {'together; a file that several share is counted once':<50} {megabytes(sum(p.bytes for p in parts)):>9}"
    )


def _show_states(states: list[tuple[Found, int]]) -> None:
    print("\nState folders:" if states else "\nNo state folder: nothing was started here yet.")
    for one, size in states:
        place = _short(one.folder)
        runs = f"runs: {', '.join(one.running)}" if one.running else "stopped"
        print(f"  {place:<50} {megabytes(size):>9}  {runs}")
        for said in one.unwell:
            print(f"    ! {said}")


def _short(folder: Path) -> str:
    return str(folder.relative_to(ROOT)) if folder.is_relative_to(ROOT) else str(folder)
