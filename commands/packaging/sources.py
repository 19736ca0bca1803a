"""The app's own files in the package: what git tracks, less what `.funcignore` leaves out."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Set as AbstractSet
from pathlib import Path

from commands.stack.errors import StackError

IGNORE = ".funcignore"


def source_files(root: Path) -> list[str]:
    """Paths from the root, sorted; raises: StackError where this is no checkout of git"""
    tracked = _git(root, "ls-files", "-z", "--cached")
    kept = tracked - left_out(root, root / IGNORE, tracked)
    return sorted(name for name in kept if (root / name).is_file())


def copy_sources(root: Path, target: Path) -> list[str]:
    """Copies the app's own files into a folder; returns: which they are"""
    files = source_files(root)
    for name in files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target / name)
    return files


def left_out(root: Path, ignore: Path, names: AbstractSet[str]) -> set[str]:
    """Those of the names that the file leaves out, as git reads it: so do azd, the deployment action, and the editors'
    extensions."""
    command = ("-c", f"core.excludesFile={ignore}", "check-ignore", "--no-index", "-z", "--stdin")
    return _git(root, *command, names=names)


def changed_files(root: Path, files: list[str]) -> list[str]:
    """Those of the files that are not as they were committed: a package with them is of no commit."""
    changed = _git(root, "diff", "--name-only", "-z", "HEAD")
    return sorted(changed.intersection(files))


def commit_of(root: Path) -> str:
    """The commit that is checked out; empty before the first."""
    done = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", "HEAD"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip()


def _git(root: Path, *command: str, names: AbstractSet[str] = frozenset()) -> set[str]:
    asked = "".join(f"{name}\0" for name in sorted(names))
    try:
        done = subprocess.run(
            ["git", *command], cwd=root, input=asked, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise StackError("git is missing: it says which files of this checkout are the app's.") from None
    if done.returncode not in {0, 1}:  # 1 is check-ignore's word for none
        raise StackError(f"{root} is no checkout of git: {done.stderr.strip()}")
    return set(done.stdout.split("\0")) - {""}
