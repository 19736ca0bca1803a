"""What comes from npm: exactly what a package-lock.json names, by hash, into the `node_modules` beside it.

`install` runs this file as a program of its own: the embedded Azure finds, or fetches, the Node for it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from commands.setup.console import Line, run
from commands.setup.counting import NpmFolder
from commands.setup.localazure import SOURCES
from commands.setup.process_environment import PROGRAMS

STAMP = Path("node_modules") / "campanha-installed"


@dataclass(frozen=True)
class NpmPackages:
    """A folder of the repository with a lock of npm's."""

    folder: Path
    what: str
    """As errors call it."""

    @property
    def installed(self) -> str:
        return str(self.folder / "node_modules")

    def is_ready(self, root: Path) -> bool:
        """True when they were installed to the end from this very lock."""
        stamp = root / self.folder / STAMP
        return stamp.exists() and stamp.read_text() == self._digest(root)

    def install(self, root: Path, line: Line) -> None:
        """npm empties `node_modules` first, so an interrupted one holds no stamp."""
        folder = root / self.folder
        run(
            [sys.executable, "-m", "commands.setup.npm_packages", self.folder.as_posix(), self.what],
            line=line,
            log=root / PROGRAMS / f"{self.folder.name}.log",
            words=NpmFolder(folder / "package-lock.json", lambda: folder),
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / SOURCES)])},
            directory=root,
        )
        (folder / STAMP).write_text(self._digest(root))

    def _digest(self, root: Path) -> str:
        return hashlib.sha256((root / self.folder / "package-lock.json").read_bytes()).hexdigest()


LINTERS = NpmPackages(Path("commands") / "linters", "the linters")
PLAYGROUND = NpmPackages(Path("playground"), "the playground's Python")


def main(folder: str, what: str) -> int:
    """npm's work; no package runs a script of its own."""
    from localazure.locks import only_one
    from localazure.storage import node, npm
    from localazure.storage.program import home

    try:
        with only_one(home() / "setup.lock"):
            found = node.find_or_install()
        npm.install_locked(found, Path(folder), what=what)
    except (node.SetupFailed, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
