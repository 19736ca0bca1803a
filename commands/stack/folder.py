"""State folders as they lie on the disk: which are ours to remove, and which lie within another."""

from __future__ import annotations

from pathlib import Path

from commands.stack.errors import StackError

FILE = "stack.json"
LOCK = "stack.lock"


def must_be_ours(folder: Path) -> None:
    """Asked before anything in it is stopped or removed: each command after that leaves its lock there.

    raises: StackError where it holds files, and none of a stack's
    """
    held = {file.name for file in folder.iterdir()} if folder.is_dir() else set()
    if held and not held & {FILE, LOCK}:
        raise StackError(f"{folder} was not made by ./dev (it has no {FILE}): not removed.")


def within(folder: Path) -> list[Path]:
    """Folders of other stacks in this one: the demo's lies in that of `./dev up`."""
    return sorted(file.parent for file in folder.glob(f"*/{FILE}"))
