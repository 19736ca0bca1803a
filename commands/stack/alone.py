"""Run one part of the embedded Azure alone, in the foreground; `--help` lists its arguments."""

from __future__ import annotations

import os
import subprocess
import sys

from commands.stack import ROOT


def main(arguments: list[str]) -> int:
    name, *more = arguments
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.call(
        [sys.executable, "-m", f"localazure.{name}", *more], env={**os.environ, "PYTHONPATH": path}
    )
