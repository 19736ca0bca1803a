"""Stop everything and remove the state folder: uploads, datasets, runs, models, all of it; the demo within, too."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from commands.stack import supervisor
from commands.stack.arguments import parser
from commands.stack.errors import StackError
from commands.stack.folder import must_be_ours, within
from commands.stack.state import Stack


def main(arguments: list[str]) -> int:
    made = parser("reset", __doc__)
    made.add_argument("--yes", action="store_true", help="do not prompt")
    given = made.parse_args(arguments)
    folder = given.state.resolve()
    if not folder.exists():
        print(f"There is nothing in {folder}.")
        return 0
    must_be_ours(folder)
    if not given.yes and not _agreed(f"Remove {folder} and all that is in it?"):
        print("Nothing was removed.")
        return 1
    for each in (folder, *within(folder)):
        _stop(each)
    shutil.rmtree(folder)
    print(f"Removed {folder}.")
    return 0


def _stop(state: Path) -> None:
    try:
        supervisor.down(Stack(state))
    except StackError as problem:  # a damaged stack.json is a reason to be here
        print(problem, file=sys.stderr)


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise StackError(f"{question} Nobody is there to answer: `--yes` says so beforehand.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
