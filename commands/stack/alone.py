"""Runs one part of the embedded Azure without the others, in the foreground, with the part's own options."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from commands.stack import processes


def run(part: str, options: list[str]) -> int:
    """Becomes the part, so that a signal to us is one to it; where a process cannot become another, the part's exit
    code. options: the part's own; `--help` lists them"""
    command = [sys.executable, "-m", "localazure", part, *options]
    return processes.become(command, directory=Path.cwd(), env=os.environ)
