"""Each part of this repository imports what its own lock names: nothing it needs hides among the tools of another."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from commands.lock import without_folders
from commands.setup.locks import HOST, OF_GROUPS

ROOT = Path(__file__).resolve().parents[2]
OURS = {path.parent.name for path in ROOT.glob("[a-z]*/__init__.py")} | {"localazure", "function_app"}
NOT_INSTALLED = {*sys.stdlib_module_names, "_typeshed", *OURS}
TRAINING = "pipelines/environments/training-requirements.txt"
SERVING = "pipelines/environments/serving-requirements.txt"
UP, TEST = OF_GROUPS["up"], OF_GROUPS["test"]

LOCKS = {
    "function_app.py": OF_GROUPS["app"],
    "functions": OF_GROUPS["app"],
    "shared": OF_GROUPS["app"],
    "pipelines/training": TRAINING,
    "pipelines/scoring": TRAINING,
    "pipelines/experimentation": TRAINING,
    "shared/domain/models/recipe_text.py": TRAINING,  # which the search writes its find with
    "pipelines/publish.py": UP,
    "serving": SERVING,
    "commands": UP,
    "commands/packaging": OF_GROUPS["package"],
    "commands/infrastructure": OF_GROUPS["check"],
    "commands/docs_site": OF_GROUPS["check"],
    "localazure/src": UP,
    "bench": TEST,
    "simulation": TEST,
}
"""What runs by which lock."""
STRANGERS = {
    "bench/bare_function.py",
    "bench/hello_server/score.py",
    "bench/mlflow_model.py",
    "bench/tuned_lightgbm.py",
    "bench/usual_client.py",
    "bench/usual_server/score.py",
    "localazure/src/localazure/workspace/automl/search/scoring_script.py",
    "localazure/src/localazure/workspace/hosting/loopback.py",
}
"""They run in an environment that is not ours to lock: a rival's, or that of a model's server."""


def imports(file: Path) -> Iterator[tuple[str, int]]:
    """The modules of others that a file imports, at its top or where they are used, with the line."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.partition(".")[0] not in NOT_INSTALLED:
                yield name, node.lineno


shipped_by = cache(packages_distributions)


def distributions_of(module: str) -> frozenset[str]:
    """Those that ship the top-level package of a module, as several do `azure`; not installed here, one of its name."""
    package = module.partition(".")[0]
    return frozenset(map(normal, shipped_by().get(package, [package])))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def locked(lock: str) -> frozenset[str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return frozenset(
        normal(name) for name in re.findall(r"^([A-Za-z0-9][\w.-]*)(?:\[.*?\])?==", text, re.MULTILINE)
    )


@pytest.mark.parametrize("place", LOCKS)
def test_everything_imported_is_in_the_lock(place: str) -> None:
    files = [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))
    lacking = {
        f"{file.relative_to(ROOT)}:{line}: {module}"
        for file in files
        if file.relative_to(ROOT).as_posix() not in STRANGERS and _place_of(file) == place
        for module, line in imports(file)
        if not distributions_of(module) & locked(LOCKS[place])
    }
    assert lacking == set()


def _place_of(file: Path) -> str:
    """The narrowest of those that it lies in."""
    within = [place for place in LOCKS if file.is_relative_to(ROOT / place)]
    return max(within, key=len)


def test_no_tool_of_tests_or_checks_is_in_the_demos_lock() -> None:
    tools = {
        "pytest",
        "pytest-xdist",
        "hypothesis",
        "playwright",
        "schemathesis",
        "ruff",
        "mypy",
        "import-linter",
        "tree-sitter-bicep",
        "pycep-parser",
    }
    assert tools & locked(UP) == set()
    assert tools <= locked(TEST) | locked(OF_GROUPS["check"])


def test_what_is_not_in_the_lock_is_found(tmp_path: Path) -> None:
    file = tmp_path / "late.py"
    file.write_text("def run():\n    import pytest\n    from yaml import safe_load\n")
    found = dict(imports(file))
    assert not distributions_of("pytest") & locked(UP)
    assert found["pytest"] == 2
    assert distributions_of("yaml.safe_load") <= locked(UP)


def hashes_of(lock: Path) -> Iterator[tuple[str, frozenset[str]]]:
    """Each library with its version, and the hashes of its files."""
    named = re.compile(r"^([\w.-]+==[^ \n]+).*\n((?: +--hash=.*\n)+)", re.MULTILINE)
    for library, lines in named.findall(lock.read_text(encoding="utf-8")):
        yield library, frozenset(re.findall(r"sha256:(\w+)", lines))


def test_a_library_has_the_files_of_every_platform_in_every_lock() -> None:
    """A lock that was made where some wheels lie in a folder knows these alone, and fits that Python only."""
    found: dict[str, set[frozenset[str]]] = {}
    for lock in (*ROOT.glob("requirements*.txt"), ROOT / HOST):
        for library, hashes in hashes_of(lock):
            found.setdefault(library, set()).add(hashes)
    assert {library for library, several in found.items() if len(several) > 1} == set()


def test_a_lock_is_made_without_this_machines_wheels() -> None:
    told = {
        "UV_FIND_LINKS": "/wheels",
        "UV_INDEX": "file:///wheels https://bank.example/simple",
        "HOME": "/home",
    }
    assert without_folders(told) == {"UV_INDEX": "https://bank.example/simple", "HOME": "/home"}
    assert without_folders({"UV_INDEX": "file:///wheels"}) == {}
