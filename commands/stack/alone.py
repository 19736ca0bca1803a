"""Runs one part of the embedded Azure without the others, in the foreground, with the part's own options."""

from __future__ import annotations

import os
import subprocess
import sys


def run(part: str, options: list[str]) -> int:
    """Becomes the part, so that a signal to us is one to it; where a process cannot become another, the part's exit
    code. options: the part's own; `--help` lists them"""
    command = [sys.executable, "-m", "localazure", part, *options]
    if sys.platform == "win32":
        return subprocess.call(command)
    sys.stdout.flush()
    os.execv(sys.executable, command)  # noqa: S606  (no shell is the point)
