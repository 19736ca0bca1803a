"""Makes what a command needs, and nothing more; when all is there, costs a few milliseconds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from commands.catalog import EMBEDDED, ENVIRONMENTS, LINTERS, STORAGE, UV, VENV
from commands.setup import environments, linters, localazure, venv
from commands.setup.console import say
from commands.setup.lock import only_one


def provide(root: Path, needs: Iterable[str]) -> None:
    """Install what is missing; raises SetupError with the step that failed and what to do."""
    localazure.install_programs_in(root)
    missing = [need for need in needs if not _is_ready(root, need)]
    if not missing:
        return
    with only_one(root / ".dev.lock", waiting_for="another ./dev is setting up this checkout"):
        missing = [need for need in missing if not _is_ready(root, need)]
        if missing:
            say("Setting up this checkout (once; the next start is instant):")
        for need in missing:
            _install(root, need)


def _is_ready(root: Path, need: str) -> bool:
    if need == STORAGE:
        return localazure.has_storage(root)
    if need == ENVIRONMENTS:
        return environments.is_ready(root)
    if need == EMBEDDED:
        return localazure.is_ready(root)
    if need == LINTERS:
        return linters.is_ready(root)
    return venv.is_ready(*_locked(root, need))


def _install(root: Path, need: str) -> None:
    if need == STORAGE:
        localazure.install_storage(root)
    elif need == ENVIRONMENTS:
        environments.install(root)
    elif need == EMBEDDED:
        localazure.install(root)
    elif need == LINTERS:
        linters.install(root)
    else:
        folder, lock = _locked(root, need)
        venv.install(folder, lock, label=f"Python packages into {folder.name}")


def _locked(root: Path, need: str) -> tuple[Path, Path]:
    return {
        VENV: (root / ".venv", root / "requirements-dev.txt"),
        UV: (root / ".uv", root / "commands" / "setup" / "uv-requirements.txt"),
    }[need]
