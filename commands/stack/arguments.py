"""What every command's arguments have in common: `--state`, and where the state is by default."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from commands import ROOT
from commands.stack import parts
from commands.stack.errors import StackError
from commands.stack.state import Stack


def default_state() -> Path:
    return Path(os.environ.get("CAMPANHA_STATE") or ROOT / ".campanha")


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """A parser for `./dev NAME` that knows `--state`."""
    made = argparse.ArgumentParser(prog=f"./dev {name}", description=description)
    made.add_argument(
        "--state",
        type=Path,
        default=default_state(),
        metavar="DIR",
        help="folder of the stack's state; one stack a folder (default: $CAMPANHA_STATE or .campanha)",
    )
    return made


def running(state: Path, *needed: str) -> Stack:
    """The stack in `state`; raises StackError when one of the needed parts (all, by default) does not run."""
    stack = Stack(state)
    missing = [
        name for name in needed or [part.name for part in parts.of(stack)] if stack.process(name) is None
    ]
    if missing:
        raise StackError(
            f"not running in {stack.state}: {', '.join(missing)}. `./dev up` starts what is missing."
        )
    return stack
