"""A deployment's code folder: the serving package under its own name, for the inference server's `AML_APP_ROOT`.

The server puts that folder where Python looks for modules. Were it the package itself, each of its files would be a
module for all to import, and `arrow` or `schema` would stand in the place of the libraries of that name.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from shared.package_data import SERVING

ENTRY_SCRIPT = f"{SERVING.name}/score.py"
"""Relative to the code folder, as a deployment names it."""


def assemble(folder: Path) -> Path:
    """The code folder, made inside this one. Its name and content are always the same: the SDK uploads it once."""
    made = folder / "code"
    shutil.copytree(SERVING, made / SERVING.name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return made
