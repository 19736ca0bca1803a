"""The app's libraries in the package: the locked wheels for Azure's Linux and the Python chosen, whatever runs here."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from importlib.metadata import Distribution, distributions
from pathlib import Path

from commands.setup import locks
from commands.setup.console import SetupError, on_screen, run
from commands.setup.counting import UvWords
from commands.setup.process_environment import uv_in
from localazure.installer import Uv

PYTHONS = ("3.11", "3.12", "3.13")
THIS_PYTHON = "{}.{}".format(*sys.version_info)
FOLDER = ".python_packages/lib/site-packages"
"""Where the Functions worker looks for an app's libraries."""
PLATFORM = "x86_64-manylinux_2_28"
"""Of the machines of the Flex Consumption plan."""
_MADE_HERE = ("INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
"""Files that installers write about themselves; with them, and with scripts that name a Python of this machine, the same
lock would not give the same bytes."""


def wanted() -> str:
    """The Python that a package is for, unless one is named: `CAMPANHA_PYTHON`, as azd has it, else the newest."""
    return os.environ.get("CAMPANHA_PYTHON") or PYTHONS[-1]


def install(root: Path, target: Path, python: str) -> None:
    """raises: SetupError where uv is missing, or a library has no wheel for the platform"""
    uv, lock = uv_in(root), root / locks.OF_GROUPS["app"]
    if not uv.exists():
        raise SetupError(
            "uv is missing, which picks wheels for another system; CAMPANHA_INSTALLER=pip does without it."
        )
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    means = Uv(uv)
    command = [
        str(uv), "pip", "install", "--no-config", "--index-strategy", "unsafe-best-match", "--target", str(target),
        "--python-version", python, "--python-platform", PLATFORM, "--only-binary", ":all:", "--require-hashes",
        "--no-deps", "--link-mode", "copy", "-r", str(lock),
    ]  # fmt: skip
    with on_screen(f"libraries for Python {python} on {PLATFORM}") as line:
        log, words = target.parent / "install.log", UvWords()
        run(command, line=line, log=log, words=words, env=means.environment())
    log.unlink(missing_ok=True)
    without_this_machine(target)


def by_weight(target: Path) -> list[tuple[str, int]]:
    """Each library, `name version`, and the bytes that it takes; the heaviest first."""
    weights: Counter[str] = Counter()
    for one in installed(target):
        files = [Path(str(one.locate_file(file))) for file in one.files or ()]
        weights[f"{one.name} {one.version}"] = sum(file.stat().st_size for file in files if file.is_file())
    return weights.most_common()


def installed(target: Path) -> list[Distribution]:
    return sorted(distributions(path=[str(target)]), key=lambda one: one.name.lower())


def without_this_machine(target: Path) -> None:
    """Removes what depends on who installed, and where."""
    shutil.rmtree(target / "bin", ignore_errors=True)
    (target / ".lock").unlink(missing_ok=True)
    for cached in [*target.rglob("__pycache__")]:
        shutil.rmtree(cached)
    for info in target.glob("*.dist-info"):
        for name in _MADE_HERE:
            (info / name).unlink(missing_ok=True)
        record = info / "RECORD"
        kept = [
            line
            for line in record.read_text(encoding="utf-8").splitlines()
            if (target / line.split(",", 1)[0].strip('"')).exists() and not line.startswith("..")
        ]
        record.write_text("".join(f"{line}\n" for line in sorted(kept)), encoding="utf-8")
