"""The environments that training and serving run in, built before anything waits for them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from commands.setup.console import Line, run
from commands.setup.counting import PipWords, UvWords
from localazure.installer import Pip, chosen, python_in

PLACE = "pipelines/environments"


def definitions(root: Path) -> list[Path]:
    """The conda and environment files that publishing registers.

    An environment file and the conda file it names make one environment: the second is found built.
    """
    return sorted((root / PLACE).glob("*.y*ml"))


def is_ready(root: Path) -> bool:
    """True when every environment was built from what its folder holds now."""
    return all(_stamp(root, file).exists() for file in definitions(root))


def install(root: Path, line: Line) -> None:
    """Build the ones that are missing, each with a stamp written last."""
    folder = root / ".environments"
    folder.mkdir(exist_ok=True)
    for file in definitions(root):
        if _stamp(root, file).exists():
            continue
        packages = file.read_text(encoding="utf-8").count("==")
        run(
            [
                str(python_in(root / ".venv")), "-m", "localazure", "environment", str(file),
                "--environments", str(folder),
            ],
            line=line,
            log=folder / f"{file.stem}.log",
            words=PipWords(packages) if isinstance(chosen(), Pip) else UvWords(),
            directory=root,
        )  # fmt: skip
        _stamp(root, file).touch()


def _stamp(root: Path, file: Path) -> Path:
    """Named by the content of all files beside the definition: conda files and locks belong to it."""
    digest = hashlib.sha256()
    for beside in sorted(file.parent.iterdir()):
        if beside.is_file():
            digest.update(beside.name.encode() + b"\0" + beside.read_bytes())
    return root / ".environments" / f"{file.stem}-{digest.hexdigest()[:16]}.built"
