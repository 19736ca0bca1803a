"""Check style, types and layers: ruff, mypy, import-linter. Says each that fails, not only the first."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from commands import ROOT

TYPED = (
    "function_app.py",
    "functions",
    "shared",
    "commands",
    "localazure/src/localazure",
    "bench",
    "serving",
    "pipelines",
)


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(prog="./dev check", description=__doc__)
    made.add_argument("--fix", action="store_true", help="format, and mend what ruff can mend")
    given = made.parse_args(arguments)
    checks = _mending() if given.fix else _checks()
    failed = [name for name, command in checks.items() if not _passes(name, command)]
    if failed:
        print(f"\nNot in order: {', '.join(failed)}.")
    return int(bool(failed))


def _checks() -> dict[str, list[str]]:
    here = Path(sys.executable).parent
    return {
        "style": ["ruff", "check", ".", "dev"],
        "format": ["ruff", "format", "--check", ".", "dev"],
        "types": [sys.executable, "-m", "mypy", *(name for name in TYPED if (ROOT / name).exists())],
        "layers": [str(here / ("lint-imports.exe" if os.name == "nt" else "lint-imports"))],
    }


def _mending() -> dict[str, list[str]]:
    return {"format": ["ruff", "format", ".", "dev"], "style": ["ruff", "check", "--fix", ".", "dev"]}


def _passes(name: str, command: list[str]) -> bool:
    started = time.monotonic()
    if command[0] == "ruff":
        command = [sys.executable, "-m", *command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    passed = done.returncode == 0
    print(
        f"{name:<8} {'in order' if passed else 'NOT in order'}, {time.monotonic() - started:.1f} s",
        flush=True,
    )
    if not passed:
        print(done.stdout + done.stderr)
    return passed
