"""Runs one part of the embedded Azure without the others, in the foreground, with the part's own options."""

from __future__ import annotations

import subprocess
import sys


def run(part: str, options: list[str]) -> int:
    """The part's exit code, when it has ended. options: the part's own; `--help` lists them"""
    return subprocess.call([sys.executable, "-m", "localazure", part, *options])
