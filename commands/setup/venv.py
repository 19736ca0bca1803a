"""A virtual environment holding what a hash-locked requirements file names."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from commands.setup.console import Line, SetupError, on_screen, run
from commands.setup.counting import PipWords, UvWords, locked_packages
from localazure.installer import Installer, Pip, chosen, python_in

STAMP = "campanha-installed"

__all__ = ["STAMP", "install", "is_ready", "python_in"]


def is_ready(folder: Path, lock: Path) -> bool:
    """True when `folder` was filled to the end from this very lock."""
    stamp = _stamp(folder, lock)
    return stamp.exists() and stamp.read_text() == _digest(lock) and python_in(folder).exists()


def install(
    folder: Path, lock: Path, *, label: str, line: Line | None = None, means: Installer | None = None
) -> None:
    """Make `folder` hold what `lock` says, beside what other locks have put there.

    line: where progress is shown; on a line of its own when none is given
    means: uv where it is, else pip, when none is given

    Stamps are written last: a folder without any was interrupted, and is made again from what was already fetched.
    """
    if line is None:
        with on_screen(label) as own:
            return install(folder, lock, label=label, line=own, means=means)
    stamp = _stamp(folder, lock)
    means = means or chosen()
    environment = means.environment()
    if not (any(folder.glob(f"{STAMP}-*")) and python_in(folder).exists()):
        _create(folder, means.create(folder), environment)
    stamp.unlink(missing_ok=True)
    command = means.install(
        folder, "--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(lock)
    )
    words = PipWords(locked_packages(lock)) if isinstance(means, Pip) else UvWords()
    run(command, line=line, log=folder / f"{lock.stem}.log", words=words, env=environment)
    stamp.write_text(_digest(lock))
    return None


def _stamp(folder: Path, lock: Path) -> Path:
    return folder / f"{STAMP}-{lock.stem}"


def _create(folder: Path, command: list[str], environment: dict[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if made.returncode != 0:
        raise SetupError(
            f"`{' '.join(command)}` could not make the virtual environment.\n{made.stdout}{made.stderr}"
            "On Debian and Ubuntu the package python3-venv brings what is missing."
        )


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()
