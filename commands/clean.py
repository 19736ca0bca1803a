"""Remove what set-up and tools have laid into this checkout; whatever needs it lays it again.

State folders (uploads, models, runs) stay: `./dev reset` removes those.
"""

from __future__ import annotations

import argparse
import shutil
from collections import defaultdict
from pathlib import Path

from commands import ROOT
from commands.setup import inventory
from commands.setup.disk import Ledger, megabytes
from commands.setup.lock import only_one
from commands.setup.process_environment import settle
from commands.stack.errors import StackError
from commands.stack.found import stacks

TRASH = ".removed"


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(prog="./dev clean", description=__doc__)
    made.add_argument("--dry-run", action="store_true", help="say what would be freed, and free nothing")
    given = made.parse_args(arguments)
    settle(ROOT)
    with only_one(ROOT / ".dev.lock", waiting_for="another ./dev is setting up this checkout"):
        _nothing_runs(ROOT)
        places = inventory.removable(ROOT)
        freed = _sizes(places)
        if not given.dry_run:
            _remove([place for place, _ in places], ROOT / TRASH)
    for (folder, what), size in freed.items():
        print(f"  {folder:<30} {what:<50} {megabytes(size):>9}")
    would = "would be freed" if given.dry_run else "freed"
    print(f"{megabytes(sum(freed.values()))} {would}." if freed else "There is nothing to free.")
    return 0


def _sizes(places: list[tuple[Path, str]]) -> dict[tuple[str, str], int]:
    """By folder and what it is; a file that several share is counted with the first of them."""
    sizes = Ledger()
    freed: dict[tuple[str, str], int] = defaultdict(int)
    for place, what in places:
        name = place.relative_to(ROOT).as_posix()
        freed[inventory.COMPILED if name.endswith(inventory.COMPILED) else name, what] += sizes.new_bytes(
            place
        )
    return freed


def _remove(places: list[Path], trash: Path) -> None:
    """Out of their places at once, then for good: what is half removed must not be taken for what is whole."""
    shutil.rmtree(trash, ignore_errors=True)  # of one that was interrupted
    trash.mkdir()
    for number, place in enumerate(places):
        place.rename(trash / str(number))
    shutil.rmtree(trash)


def _nothing_runs(root: Path) -> None:
    """raises: StackError, since a running stack would lose its programs"""
    for one in stacks(root):
        if one.running:
            raise StackError(
                f"{one.folder} runs: ./dev down --state {one.folder} first. Nothing was removed."
            )
