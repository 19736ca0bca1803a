"""The deployment package: what `.funcignore` leaves of this repository is all that the app opens, and starts alone."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from commands.packaging.sources import left_out
from shared import package_data

ROOT = Path(__file__).resolve().parents[2]
IGNORE = ROOT / ".funcignore"
CODE = ("function_app.py", "functions", "shared")
OPENED = sorted(path for path in vars(package_data).values() if isinstance(path, Path) and path != ROOT)
TOP = {
    *CODE,
    *(path.relative_to(ROOT).parts[0] for path in OPENED),
    "host.json",
    "requirements.txt",
    "LICENSE",
}
FINDS_ITSELF = {"__file__", "__path__", "getcwd", "cwd", "get_data", "get_resource", "find_spec"}
"""How code asks where it lies, or what lies there."""

Reading = Callable[[Path], set[str]]
"""From the ignore file to the files of the package."""


@cache
def of_the_repository() -> frozenset[str]:
    """Every file that is no by-product of working here."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return frozenset(name for name in listed.stdout.split("\0") if (ROOT / name).is_file())


def as_git_reads_it(ignore: Path) -> set[str]:
    """As `./dev package` does."""
    return set(of_the_repository() - left_out(ROOT, ignore, of_the_repository()))


def as_core_tools_reads_it(ignore: Path) -> set[str]:
    """`func azure functionapp publish`: every pattern is the beginning of a path from the root.

    source: src/Azure.Functions.Cli/Common/GitIgnoreParser.cs of Azure/azure-functions-core-tools
    """
    lines = [line.strip().removeprefix("/") for line in ignore.read_text(encoding="utf-8").splitlines()]
    patterns = [
        re.escape(line).replace(r"\*", "[^/]+") for line in lines if line and not line.startswith("#")
    ]
    return {name for name in of_the_repository() if not re.match("|".join(patterns), name)}


readings = pytest.mark.parametrize("reading", [as_git_reads_it, as_core_tools_reads_it])


def lacking(files: set[str]) -> set[str]:
    """What the app opens or imports, and the package does not have."""
    needed = (ROOT / name for name in CODE)
    wanted = {path.relative_to(ROOT).as_posix() for path in (*OPENED, *needed)}
    return {
        name
        for name in of_the_repository()
        if name in wanted or name.startswith(tuple(f"{each}/" for each in wanted))
    } - files


@readings
def test_all_that_the_app_opens_is_in_the_package(reading: Reading) -> None:
    assert [path for path in OPENED if not path.exists()] == []
    assert lacking(reading(IGNORE)) == set()


@readings
def test_nothing_else_of_the_repository_is_in_it(reading: Reading) -> None:
    assert {name.partition("/")[0] for name in reading(IGNORE)} == TOP


@readings
@pytest.mark.parametrize("opened", OPENED, ids=lambda path: path.name)
def test_a_line_that_leaves_one_of_them_out_is_found(reading: Reading, opened: Path, tmp_path: Path) -> None:
    ignore, name = tmp_path / "ignore", opened.relative_to(ROOT).as_posix()
    ignore.write_text(f"{IGNORE.read_text(encoding='utf-8')}\n{name}\n", encoding="utf-8")
    assert any(lost == name or lost.startswith(f"{name}/") for lost in lacking(reading(ignore)))


def test_only_the_table_asks_where_the_code_lies() -> None:
    asking = {
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for name in CODE
        for file in ([ROOT / name] if name.endswith(".py") else sorted((ROOT / name).rglob("*.py")))
        if file != Path(package_data.__file__)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Name) and node.id in FINDS_ITSELF)
        or (isinstance(node, ast.Attribute) and node.attr in FINDS_ITSELF)
        or (isinstance(node, ast.ImportFrom | ast.Import) and "importlib.resources" in ast.unparse(node))
    }
    assert asking == set(), "name the folder in shared/package_data.py, which the package is tested against"


def test_the_package_starts_by_itself(tmp_path: Path) -> None:
    for name in as_git_reads_it(IGNORE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    script = (
        "import pkgutil, importlib, sys; sys.path.insert(0, '.')\n"
        "import function_app, functions, shared\n"
        "for package in (functions, shared):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(module.name)\n"
        "from shared.adapters.contracts import load_contracts\n"
        "from shared.package_data import CONTRACTS\n"
        "assert load_contracts(CONTRACTS)\n"
        "print(*sorted(function.get_function_name() for function in function_app.app.get_functions()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {"upload_arrived", "shard_due", "http_dashboard"} <= set(done.stdout.split())
