"""The linters of `commands/linters`, from npm: exactly what its package-lock.json names, by hash.

`install` runs this file in `.venv`, where the embedded Azure finds, or fetches, the Node for it.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from commands.setup import venv
from commands.setup.console import run

FOLDER = Path("commands") / "linters"
STAMP = Path("node_modules") / "campanha-installed"


def is_ready(root: Path) -> bool:
    """True when they were installed to the end from this very lock."""
    stamp = root / FOLDER / STAMP
    return stamp.exists() and stamp.read_text() == _digest(root)


def install(root: Path) -> None:
    """142 MB beside the lock. npm empties `node_modules` first, so an interrupted one holds no stamp."""
    run(
        [str(venv.python_in(root / ".venv")), "-m", "commands.setup.linters"],
        label=f"linters of API and JavaScript into {FOLDER / 'node_modules'}",
        log=root / ".venv" / "linters.log",
        counted="^localazure: ",
        directory=root,
    )
    (root / FOLDER / STAMP).write_text(_digest(root))


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
