"""The linters of `commands/linters`, from npm: exactly what its package-lock.json names, by hash.

`install` runs this file as a program of its own: the embedded Azure finds, or fetches, the Node for it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from commands.setup.console import Line, run
from commands.setup.counting import NpmFolder
from commands.setup.localazure import SOURCES
from commands.setup.process_environment import PROGRAMS

FOLDER = Path("commands") / "linters"
STAMP = Path("node_modules") / "campanha-installed"


def is_ready(root: Path) -> bool:
    """True when they were installed to the end from this very lock."""
    stamp = root / FOLDER / STAMP
    return stamp.exists() and stamp.read_text() == _digest(root)


def install(root: Path, line: Line) -> None:
    """173 MB beside the lock. npm empties `node_modules` first, so an interrupted one holds no stamp."""
    folder = root / FOLDER
    run(
        [sys.executable, "-m", "commands.setup.linters"],
        line=line,
        log=root / PROGRAMS / "linters.log",
        words=NpmFolder(folder / "package-lock.json", lambda: folder),
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / SOURCES)])},
        directory=root,
    )
    (folder / STAMP).write_text(_digest(root))


def _digest(root: Path) -> str:
    return hashlib.sha256((root / FOLDER / "package-lock.json").read_bytes()).hexdigest()


def main() -> int:
    """npm's work; no package runs a script of its own."""
    from localazure.locks import only_one
    from localazure.storage import node, npm
    from localazure.storage.program import home

    try:
        with only_one(home() / "setup.lock"):
            found = node.find_or_install()
        npm.install_locked(found, FOLDER, what="the linters")
    except (node.SetupFailed, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
