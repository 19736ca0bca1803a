"""Conda files of the training and serving environments, written from their hash-locked requirements.

Azure ML takes an environment as a conda file alone, so `python -m pipelines.conda` copies the locks into it; a test
holds them equal.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TRAINING = ROOT / "pipelines" / "environments" / "training.yaml"
SERVING = ROOT / "pipelines" / "environments" / "serving.yaml"
HEAD = """\
# Written by `python -m pipelines.conda` from {lock}; change {source} instead.
name: campanha-{name}
channels: [conda-forge]
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def lock_of(file: Path) -> Path:
    return file.with_name(f"{file.stem}-requirements.txt")


def text_of(file: Path) -> str:
    """The conda file's text: one requirement an entry, its hashes on the same line, as pip wants them here."""
    lock = lock_of(file)
    head = HEAD.format(lock=lock.name, source=lock.with_suffix(".in").name, name=file.stem)
    joined = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [" ".join(line.split()) for line in joined.splitlines() if not line.lstrip().startswith("#")]
    return head + "".join(f"      - {_quoted(line)}\n" for line in lines if line)


def _quoted(line: str) -> str:
    """Single quotes take everything but themselves, which markers use."""
    return "'" + line.replace("'", "''") + "'"


def main() -> int:
    for file in (TRAINING, SERVING):
        file.write_text(text_of(file), encoding="utf-8")
        print(file.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
