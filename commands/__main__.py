"""Runs one command in `.venv`: `./dev NAME ...` comes here as `python commands/__main__.py NAME ...`."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from pathlib import Path


def main() -> int:
    """The command's exit code; an error the user can do something about is one line, not a traceback."""
    root = Path(__file__).resolve().parents[1]
    sys.path[:1] = [
        str(root),
        str(root / "localazure" / "src"),
    ]  # some commands run before anything is installed
    name, arguments = sys.argv[1], sys.argv[2:]
    sys.argv = [f"./dev {name}", *arguments]
    from commands.stack.errors import StackError
    from localazure.proxies import without_proxy

    os.environ.update(without_proxy(os.environ))  # whatever a command asks of a stack, and all it starts
    command = importlib.import_module(f"commands.{name.replace('-', '_')}")
    try:
        return int(command.main(arguments))
    except StackError as problem:
        print(problem, file=sys.stderr)
        return 1
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(
            "The disk is full: make room, then run it again (`./dev doctor` says what takes it here).",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
