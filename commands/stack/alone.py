"""Runs one part of the embedded Azure without the others, in the foreground, with the part's own options."""

from __future__ import annotations

import os
import subprocess
import sys

from commands import ROOT


def run(part: str, options: list[str]) -> int:
    """The part's exit code, when it has ended. options: the part's own; `--help` lists them"""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.call(
        [sys.executable, "-m", f"localazure.{part}", *options], env={**os.environ, "PYTHONPATH": path}
    )
