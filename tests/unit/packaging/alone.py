"""An unpacked package by itself: all of its modules are imported, and there is nothing else to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from commands.packaging import libraries

IMPORTS = """
import sys
sys.path[:0] = sys.argv[1:]
import importlib, pkgutil
import function_app, functions, shared
for found in (functions, shared):
    for module in pkgutil.walk_packages(found.__path__, found.__name__ + "."):
        importlib.import_module(module.name)
import azure.ai.ml, azure.identity, azure.eventgrid, pyarrow  # what is imported only when it is needed
from shared.adapters.contracts import load_contracts
from shared.adapters.recipes import load_recipes
from shared.package_data import CONTRACTS, RECIPES
assert load_contracts(CONTRACTS) and load_recipes(RECIPES, first="blend")
print(len(function_app.app.get_functions()))
"""


def imported_alone(app: Path, python: Path | str = sys.executable) -> subprocess.CompletedProcess[str]:
    """Says how many functions the app has. Without the interpreter's own packages: -S leaves site-packages out, -I the
    variables and the folder it starts in; -B leaves the folder as it was."""
    command = [str(python), "-I", "-B", "-S", "-c", IMPORTS, str(app / libraries.FOLDER), str(app)]
    return subprocess.run(command, cwd=app, capture_output=True, text=True, check=False)
