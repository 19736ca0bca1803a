"""Runs one command in `.venv`: `./dev NAME ...` comes here as `python commands/__main__.py NAME ...`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = {"storage": "storage", "events serve": "events", "workspace": "workspace", "host": "host"}
"""Commands that run one part alone, and the part's name."""


def main() -> int:
    """The command's exit code; an error the user can do something about is one line, not a traceback."""
    sys.path[0] = str(ROOT)
    name, arguments = sys.argv[1], sys.argv[2:]
    if f"{name} {' '.join(arguments[:1])}" in PARTS:
        name, arguments = f"{name} {arguments[0]}", arguments[1:]
    sys.argv = [f"./dev {name}", *arguments]
    from commands.stack import StackError

    module = importlib.import_module(f"commands.{'part' if name in PARTS else name.replace('-', '_')}")
    try:
        return int(module.main([PARTS[name], *arguments] if name in PARTS else arguments))
    except StackError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
