"""The stacks whose state lies in this checkout, and what of each runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from commands.stack.errors import StackError
from commands.stack.parts import PARTS
from commands.stack.state import Stack

FILE = "stack.json"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A state folder."""

    folder: Path
    running: tuple[str, ...]


def stacks(root: Path) -> Iterator[Found]:
    """Those in the usual places: `.campanha`, one of another name beside it, and the demo's within."""
    for file in sorted([*root.glob(f".campanha*/{FILE}"), *root.glob(f".campanha*/*/{FILE}")]):
        yield Found(folder=file.parent, running=_running(file.parent))


def _running(folder: Path) -> tuple[str, ...]:
    try:
        stack = Stack(folder)
    except StackError:  # a damaged file tells of no process
        return ()
    return tuple(name for name in PARTS if stack.process(name))
