"""A stack of the story's own: real processes, killed and started again, with real files dropped into it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from commands import publish
from commands.resilience.site import QUICK, Site
from commands.setup import bank_rows
from commands.stack import supervisor
from commands.stack.access import new_secrets
from commands.stack.errors import StackError
from commands.stack.state import Stack


class Running(Site):
    """With what its commands say."""

    def says(self, *command: str) -> str:
        """What `./dev COMMAND` prints, on a wide screen."""
        told = subprocess.run(
            [sys.executable, "-m", "commands", *command, "--state", str(self.stack.state)],
            cwd=self.stack.root, env={**os.environ, "COLUMNS": "300"}, capture_output=True, text=True,
            timeout=60, check=True,
        )  # fmt: skip
        return told.stdout


@contextmanager
def running(state: Path, *, roles: bool = False, faults: bool = False, **settings: str) -> Iterator[Running]:
    """Up, with the real training pipeline published; down and gone afterwards, whatever happened.

    roles: whether identities sign in, and the role assignments of infra/ count. faults: whether calls can be made to
    fail
    """
    stack = Stack(state)
    try:
        if roles:
            stack.use_roles(new_secrets())
        if faults:
            stack.use_faults(wanted=True)
        made = Running(stack)
        made.up(**{**QUICK, **settings})
        if publish.main(["--state", str(state)]):
            raise StackError("the training pipeline could not be published")
        yield made
    finally:
        supervisor.down(stack)


def bank() -> tuple[bytes, list[bytes]]:
    """Header and rows of the real data."""
    file, _ = bank_rows.find(None)
    header, *rows = file.read_bytes().splitlines()
    return header, [row for row in rows if row]


def without_answer(lines: Sequence[bytes]) -> list[bytes]:
    """Clients of whom nobody knows yet what they will answer: the last column is cut off."""
    delimiter = b";" if b";" in lines[0] else b","
    return [line.rsplit(delimiter, 1)[0] for line in lines]
